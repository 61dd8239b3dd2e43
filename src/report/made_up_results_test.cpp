// Made-up results, drawn from the project's own generator so that every run sees the same ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "report/made_up_results.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr unsigned char kOnePixel[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00,
    0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78,
    0xda, 0x63, 0xd0, 0xcf, 0xdf, 0x0e, 0x00, 0x02, 0x26, 0x01, 0x56, 0x62, 0x00, 0x2f,
    0x6e, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

double level(const MadeUp& made_up, const std::string& recipe) {
  if (recipe == "text") return 0.71;
  return recipe == "image" ? 0.752 : 0.752 + made_up.gain;
}

json around(Rng& rng, double mean, double spread, int runs) {
  json per_seed = json::array();
  double sum = 0;
  for (int i = 0; i < runs; ++i) {
    const double value = mean + spread * rng.normal();
    per_seed.push_back(value);
    sum += value;
  }
  const double middle = sum / runs;
  return {{"mean", middle},
          {"low", middle - 2.2 * spread},
          {"high", middle + 2.2 * spread},
          {"per_seed", per_seed}};
}

json confusion_of(Rng& rng, const json& recall, const std::vector<std::string>& classes) {
  json rows = json::array();
  const std::size_t count = classes.size();
  for (std::size_t truth = 0; truth < count; ++truth) {
    const auto total = static_cast<int>(60 + rng.below(500));
    const int right = static_cast<int>(std::lround(total * recall[classes[truth]].get<double>()));
    std::vector<int> row(count, 0);
    row[truth] = right;
    for (int i = right; i < total && count > 1; ++i) {
      const std::size_t step = 1 + std::min(rng.below(count - 1), rng.below(count - 1));
      ++row[(truth + step) % count];
    }
    rows.push_back(row);
  }
  return rows;
}

json recipe_scores(const MadeUp& made_up, const std::string& recipe) {
  Rng rng(7, {recipe.size()});
  const double mean = level(made_up, recipe);
  json recall;
  for (std::size_t i = 0; i < made_up.classes.size(); ++i) {
    Rng by_class(11, {i});
    const double base = 0.45 + 0.5 * by_class.uniform();
    const double swing =
        recipe == "image,text" ? made_up.gain * (2.6 * by_class.uniform() - 0.5) : 0;
    recall[made_up.classes[i]] =
        std::clamp(base + swing - (recipe == "text" ? 0.2 * by_class.uniform() : 0), 0.0, 1.0);
  }
  return {{"accuracy", around(rng, mean, 0.011, made_up.runs)},
          {"macro_f1", around(rng, mean - 0.03, 0.015, made_up.runs)},
          {"log_loss", around(rng, 2.4 * (1 - mean), 0.04, made_up.runs)},
          {"calibration_error", around(rng, 0.06 - 0.03 * (mean - 0.75), 0.008, made_up.runs)},
          {"recall", recall},
          {"confusion", confusion_of(rng, recall, made_up.classes)},
          {"seconds", recipe == "text" ? 41.5 : 312.0 + 60 * mean}};
}

json pair_of(const json& recipes, const std::string& a, const std::string& b,
             const std::string& metric) {
  const json& first = recipes[a][metric];
  const json& second = recipes[b][metric];
  json per_seed = json::array();
  json mcnemar = json::array();
  for (std::size_t i = 0; i < first["per_seed"].size(); ++i) {
    per_seed.push_back(first["per_seed"][i].get<double>() - second["per_seed"][i].get<double>());
    mcnemar.push_back(0.004 * static_cast<double>((i + 1) * (i + 1)));
  }
  const double mean = first["mean"].get<double>() - second["mean"].get<double>();
  const double half = metric == "log_loss" ? 0.09 : 0.027;
  json pair = {{"a", a},
               {"b", b},
               {"metric", metric},
               {"difference", mean},
               {"low", mean - half},
               {"high", mean + half},
               {"p", std::exp(-std::abs(mean) / half * 2.2)},
               {"p_holm", std::min(1.0, 2 * std::exp(-std::abs(mean) / half * 2.2))},
               {"per_seed", per_seed}};
  if (metric != "accuracy") return pair;
  pair["mcnemar_p"] = mcnemar;
  for (const auto& [name, value] : recipes[a]["recall"].items()) {
    pair["per_class"][name] = value.get<double>() - recipes[b]["recall"][name].get<double>();
  }
  return pair;
}

json pairs_of(const json& recipes) {
  const std::vector<std::pair<std::string, std::string>> wanted{
      {"image,text", "image"}, {"image,text", "text"}, {"text", "image"}};
  json pairs = json::array();
  for (const char* metric : {"accuracy", "macro_f1", "log_loss"}) {
    for (const auto& [a, b] : wanted) {
      if (recipes.contains(a) && recipes.contains(b))
        pairs.push_back(pair_of(recipes, a, b, metric));
    }
  }
  return pairs;
}

std::string points(const json& share) { return fmt::format("{:+.1f}", share.get<double>() * 100); }

// As compare() words it, from the first pair.
json verdict_of(const json& pairs) {
  if (pairs.empty())
    return {{"text", "no clear gain"}, {"sentence", "There is nothing to compare."}};
  const json& pair = pairs.front();
  const bool helps = pair["low"] > 0;
  const bool hurts = pair["high"] < 0;
  const std::string claim = helps   ? "The text helps"
                            : hurts ? "The text hurts"
                                    : "No clear gain from the text";
  return {{"text", helps   ? "helps"
                   : hurts ? "hurts"
                           : "no clear gain"},
          {"sentence", claim + ": " + points(pair["difference"]) + " points of accuracy (" +
                           points(pair["low"]) + " to " + points(pair["high"]) + ")."}};
}

double approach(double from, double to, double rate, int epoch) {
  return to + (from - to) * std::exp(-rate * epoch);
}

Curve curve_of(const MadeUp& made_up, const std::string& recipe, int run) {
  Rng rng(3, {recipe.size(), static_cast<std::uint64_t>(run)});
  Curve curve{recipe, static_cast<std::uint64_t>(run), 0, {}};
  const double top = level(made_up, recipe);
  const int epochs = std::max(1, made_up.epochs - static_cast<int>(rng.below(6)));
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double noise = 0.012 * rng.normal();
    curve.points.push_back({epoch, approach(0.3, 0.99, 0.18, epoch) + noise / 3,
                            approach(1.7, 0.04, 0.2, epoch) + 0.01 * rng.uniform(),
                            approach(0.32, top, 0.3, epoch) + noise,
                            approach(1.6, 2.1 * (1 - top), 0.34, epoch) + 0.012 * epoch - noise});
  }
  curve.best_epoch = std::max(1, epochs - 4);
  return curve;
}

}  // namespace

json made_up_results(const MadeUp& made_up) {
  json recipes = json::object();
  for (const std::string& recipe : made_up.recipes) {
    recipes[recipe] = recipe_scores(made_up, recipe);
  }
  const json pairs = pairs_of(recipes);
  return {{"recipes", recipes},
          {"pairs", pairs},
          {"verdict", verdict_of(pairs)},
          {"test", "corrected resampled t test over 5 splits (Nadeau and Bengio, 2003)"},
          {"rows",
           {{"read", 1870},
            {"used", 1831},
            {"skipped", {{"unreadable image", 27}, {"no label", 9}, {"image too large", 3}}}}},
          {"classes", made_up.classes},
          {"seconds", 1043.2},
          {"config",
           {{"epochs", "24"},
            {"batch-size", "64"},
            {"learning-rate", "0.002"},
            {"image-encoder", "cnn"},
            {"text-encoder", "lstm"},
            {"fusion", "concatenate"},
            {"seeds", "5"},
            {"preset", "paper"},
            {"image-size", "64"},
            {"dropout", "0.3"}}},
          {"provenance",
           {{"diptych", "0.1.0"},
            {"data", "emoji/data.csv"},
            {"data_digest", "5f0c2f4e8a7d4c0b9e1a3d5f7b9c1e3a"},
            {"created", "2025-11-24 15:20 UTC"},
            {"machine", "2 cores, 8 GiB, CPU"},
            {"torch", "2.13.0"}}}};
}

Report made_up_report(const MadeUp& made_up) {
  Report report{"Emoji sample", {}, {}};
  for (const std::string& recipe : made_up.recipes) {
    for (int run = 1; run <= made_up.runs; ++run) {
      report.curves.push_back(curve_of(made_up, recipe, run));
    }
  }
  const std::size_t count = made_up.classes.size();
  for (std::size_t i = 0; i < 9; ++i) {
    const std::string truth = made_up.classes[i % count];
    const std::string other = made_up.classes[(i + 1) % count];
    const bool gained = i < 6;
    const double sure = 0.5 + 0.05 * static_cast<double>(i);
    report.gallery.push_back({"emoji/" + std::to_string(i) + ".png",
                              "words of row " + std::to_string(i), truth, gained ? other : truth,
                              sure, gained ? truth : other, 1 - sure / 2,
                              std::string(std::begin(kOnePixel), std::end(kOnePixel)), gained});
  }
  return report;
}

}  // namespace diptych
