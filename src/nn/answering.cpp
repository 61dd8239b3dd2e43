#include "nn/answering.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <atomic>
#include <numeric>

#include "base/parallel.h"
#include "data/pictures.h"
#include "data/pixel_cache.h"
#include "data/preprocessor.h"

namespace diptych {
namespace {

constexpr std::size_t kBatch = 64;

struct Shared {
  const Model& model;
  const Dataset& dataset;
  PictureReader pictures;
  std::vector<RowAnswer> answers;
  std::atomic<std::size_t> next{0};  // of a model that takes no picture
};

// What one thread collects and asks about.
class Asker {
 public:
  explicit Asker(Shared& shared)
      : shared_(shared),
        preprocessor_(shared.model.preprocessor()),
        decoding_(preprocessor_.decode_options(1)) {
    images_.side = decoding_.side;
  }

  // The next row; false once there is none.
  bool take() {
    if (!preprocessor_.takes_image()) {
      const std::size_t row = shared_.next++;
      if (row < shared_.dataset.size()) add(row);
      return row < shared_.dataset.size();
    }
    const std::optional<PictureBytes> picture = shared_.pictures.next();
    if (!picture) return false;
    try {
      add_picture(*picture);
    } catch (const Error& error) {
      const RowProblem problem = problem_of(shared_.dataset[picture->row], error);
      shared_.answers[picture->row].error =
          fmt::format("{}: {}", problem_name(problem.problem), problem.detail);
      return true;
    }
    add(picture->row);
    return true;
  }

  void ask() {
    if (rows_.empty()) return;
    BatchSource source;
    if (preprocessor_.takes_image()) source.images = &images_;
    if (preprocessor_.takes_text()) {
      const TextColumn& texts = shared_.dataset.columns().texts;
      source.encoding = [&](std::size_t i) { return preprocessor_.encode(texts[rows_[i]]); };
    }
    std::vector<std::int64_t> all(rows_.size());
    std::iota(all.begin(), all.end(), 0);
    const Predictions predictions = shared_.model.predict(make_batch(source, all));
    auto from = predictions.probabilities.begin();
    for (const std::size_t row : rows_) {
      shared_.answers[row].probabilities.assign(from, from + predictions.classes);
      from += predictions.classes;
    }
    rows_.clear();
    images_.pixels.clear();
    images_.present.clear();
  }

 private:
  void add_picture(const PictureBytes& picture) {
    if (picture.error) throw *picture.error;
    if (!shared_.dataset.columns().pictures.has(picture.row)) {
      throw Error(ErrorKind::not_found, "the cell is empty");
    }
    const std::vector<std::uint8_t> pixels = square_pixels(picture.bytes, decoding_);
    images_.pixels.insert(images_.pixels.end(), pixels.begin(), pixels.end());
    images_.present.push_back(1);
  }

  void add(std::size_t row) {
    rows_.push_back(row);
    if (rows_.size() == kBatch) ask();
  }

  Shared& shared_;
  const Preprocessor& preprocessor_;
  const DecodeOptions decoding_;
  std::vector<std::size_t> rows_;
  DecodedImages images_;
};

}  // namespace

std::vector<RowAnswer> answer_dataset(
    const Model& model, const Dataset& dataset, int threads,
    const std::function<void(std::size_t done, std::size_t total)>& progress) {
  Shared shared{model, dataset, PictureReader(dataset), {}};
  shared.answers.resize(dataset.size());
  std::atomic<std::size_t> done{0};
  const auto workers = static_cast<std::size_t>(threads);
  parallel_for(workers, threads, [&](std::size_t) {
    at::set_num_threads(1);  // of this thread's own work
    Asker asker(shared);
    while (asker.take()) {
      const std::size_t count = ++done;
      if (progress) progress(count, dataset.size());
    }
    asker.ask();
  });
  return std::move(shared.answers);
}

}  // namespace diptych
