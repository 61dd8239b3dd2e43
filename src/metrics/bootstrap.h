// On one test set: the bootstrap over groups of rows (Efron and Tibshirani, 1993; resampling whole
// groups keeps rows of one thing together), and over the trainings where several answered for it:
// the pigeonhole bootstrap (Owen, 2007), whose intervals are rather too wide than too narrow.
// 2,000 resamples from a fixed seed. Rows of one group alone say nothing about other groups: the
// interval is then the metric's whole range and p is 1.
#pragma once
#include "metrics/comparison.h"

namespace diptych {

double largest_score(Metric metric);  // scores lie in [0, largest]

struct BootstrapResult {
  double difference = 0, low = 0, high = 0;  // a − b, 95 % percentile interval
  double p = 1;                              // two-sided: twice the share beyond zero
};

// One recipe's, in order of seed, all over the same rows.
using Trainings = std::vector<const Trial*>;

// As many of both, seed by seed; the difference is the mean over the seeds.
BootstrapResult paired_bootstrap(const Trainings& a, const Trainings& b, Metric metric,
                                 int classes);

Interval bootstrap_interval(const Trainings& trainings, Metric metric, int classes);

}  // namespace diptych
