#include "metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"

namespace diptych {
namespace {

constexpr int kResamples = 2000;
using Rows = std::vector<std::size_t>;

std::vector<Rows> groups_of(const Trial& trial) {
  std::map<std::string, Rows> groups;
  for (std::size_t i = 0; i < trial.labels.size(); ++i) groups[trial.groups.at(i)].push_back(i);
  std::vector<Rows> result;
  for (auto& [name, rows] : groups) result.push_back(std::move(rows));
  return result;
}

// A metric over any rows of a trial, from per-row facts that are worked out once.
class RowMetric {
 public:
  RowMetric(const Trial& trial, Metric metric, int classes)
      : metric_(metric), classes_(static_cast<std::size_t>(classes)), labels_(trial.labels) {
    answers_ = predicted_classes(trial.probabilities, classes);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const float p = trial.probabilities[i * classes_ + static_cast<std::size_t>(labels_[i])];
      losses_.push_back(-std::log(std::max<double>(kLeastProbability, p)));
      right_.push_back(answers_[i] == labels_[i] ? 1 : 0);
    }
  }

  double operator()(const Rows& rows) const {
    switch (metric_) {
      case Metric::accuracy:
        return mean(rows, right_);
      case Metric::log_loss:
        return mean(rows, losses_);
      case Metric::macro_f1:
        return macro_f1(rows);
    }
    return 0;
  }

 private:
  static double mean(const Rows& rows, const std::vector<double>& values) {
    double sum = 0;
    for (std::size_t i : rows) sum += values[i];
    return sum / static_cast<double>(rows.size());
  }
  double macro_f1(const Rows& rows) const {
    std::vector<double> right(classes_), marks(classes_);
    for (std::size_t i : rows) {
      right[static_cast<std::size_t>(labels_[i])] += right_[i];
      ++marks[static_cast<std::size_t>(labels_[i])];
      ++marks[static_cast<std::size_t>(answers_[i])];
    }
    double sum = 0, counted = 0;
    for (std::size_t k = 0; k < classes_; ++k) {
      if (marks[k] == 0) continue;
      sum += 2 * right[k] / marks[k];
      ++counted;
    }
    return sum / counted;
  }

  Metric metric_;
  std::size_t classes_;
  const std::vector<std::int32_t>& labels_;
  std::vector<std::int32_t> answers_;
  std::vector<double> right_, losses_;
};

// The statistic of each resample of rows and of trainings, sorted.
std::vector<double> resample(const std::vector<Rows>& groups, std::size_t trainings,
                             const auto& statistic) {
  std::vector<double> values;
  Rng rng(0, Stream::bootstrap);
  Rows rows, drawn_trainings(trainings);
  for (int i = 0; i < kResamples; ++i) {
    rows.clear();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Rows& drawn = groups[rng.below(groups.size())];
      rows.insert(rows.end(), drawn.begin(), drawn.end());
    }
    for (std::size_t& drawn : drawn_trainings) drawn = trainings > 1 ? rng.below(trainings) : 0;
    values.push_back(statistic(rows, drawn_trainings));
  }
  std::sort(values.begin(), values.end());
  return values;
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

Rows first_numbers(std::size_t count) {
  Rows rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

// A metric's mean over some of the trainings.
class MeanMetric {
 public:
  MeanMetric(const Trainings& trainings, Metric metric, int classes) {
    for (const Trial* trial : trainings) metrics_.emplace_back(*trial, metric, classes);
  }
  double operator()(const Rows& rows, const Rows& trainings) const {
    double sum = 0;
    for (std::size_t i : trainings) sum += metrics_[i](rows);
    return sum / static_cast<double>(trainings.size());
  }
  std::vector<double> per_seed(const Rows& rows) const {
    std::vector<double> values;
    for (const RowMetric& metric : metrics_) values.push_back(metric(rows));
    return values;
  }

 private:
  std::vector<RowMetric> metrics_;
};

}  // namespace

double largest_score(Metric metric) {
  return metric == Metric::log_loss ? -std::log(kLeastProbability) : 1;
}

BootstrapResult paired_bootstrap(const Trainings& a, const Trainings& b, Metric metric,
                                 int classes) {
  const MeanMetric of_a(a, metric, classes), of_b(b, metric, classes);
  const auto difference = [&](const Rows& rows, const Rows& trainings) {
    return of_a(rows, trainings) - of_b(rows, trainings);
  };
  const Rows all = first_numbers(a.front()->labels.size());
  const double whole = difference(all, first_numbers(a.size()));
  const std::vector<Rows> groups = groups_of(*a.front());
  if (groups.size() < 2) return {whole, -largest_score(metric), largest_score(metric), 1};
  const std::vector<double> values = resample(groups, a.size(), difference);
  const auto share = [&](auto&& test) {
    return static_cast<double>(std::count_if(values.begin(), values.end(), test)) / kResamples;
  };
  const double tail =
      std::min(share([](double v) { return v <= 0; }), share([](double v) { return v >= 0; }));
  return {whole, percentile(values, 0.025), percentile(values, 0.975),
          std::clamp(2 * tail, 1.0 / kResamples, 1.0)};
}

Interval bootstrap_interval(const Trainings& trainings, Metric metric, int classes) {
  const MeanMetric value(trainings, metric, classes);
  const Rows all = first_numbers(trainings.front()->labels.size());
  const double whole = value(all, first_numbers(trainings.size()));
  const std::vector<double> per_seed = value.per_seed(all);
  const std::vector<Rows> groups = groups_of(*trainings.front());
  if (groups.size() < 2) return {whole, 0, largest_score(metric), per_seed};
  const std::vector<double> values = resample(groups, trainings.size(), value);
  return {whole, percentile(values, 0.025), percentile(values, 0.975), per_seed};
}

}  // namespace diptych
