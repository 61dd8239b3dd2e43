// The HTML report: one file that works offline. It is drawn from results.json's own content, the
// training curves and a gallery, so it shows nothing that the machine-readable result does not
// hold. Text from the dataset is data: it is escaped and nothing in it is ever run.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace diptych {

// One epoch of one trial.
struct CurvePoint {
  int epoch = 0;  // 1-based
  double train_accuracy = 0, train_loss = 0;
  double validation_accuracy = 0, validation_loss = 0;
};

struct Curve {
  std::string recipe;
  std::uint64_t seed = 0;
  int best_epoch = 0;
  std::vector<CurvePoint> points;
};

// One picture where adding the text changed the answer.
struct GalleryItem {
  std::string id;
  std::string text;
  std::string label;
  std::string image_answer;      // of the image-only model
  double image_probability = 0;  // of that answer
  std::string fused_answer;
  double fused_probability = 0;
  std::string png;      // bytes of a small picture; empty: none
  bool gained = false;  // the text turned a wrong answer right; false: a right one wrong
};

struct Report {
  std::string title;  // the dataset's name
  std::vector<Curve> curves;
  std::vector<GalleryItem> gallery;
};

// results: the content of results.json (docs/results.md). Returns the whole page, UTF-8.
std::string render_report(const nlohmann::json& results, const Report& report);

}  // namespace diptych
