// Within one split: the bootstrap over groups of rows (Efron and Tibshirani, 1993; resampling whole
// groups keeps rows of one thing together). 2,000 resamples from a fixed seed. Rows of one group
// alone say nothing about other groups: the interval is then the metric's whole range and p is 1.
#pragma once
#include "metrics/comparison.h"

namespace diptych {

double largest_score(Metric metric);  // scores lie in [0, largest]

struct BootstrapResult {
  double difference = 0, low = 0, high = 0;  // a − b, 95 % percentile interval
  double p = 1;                              // two-sided: twice the share beyond zero
};

// Both trials over the same rows.
BootstrapResult paired_bootstrap(const Trial& a, const Trial& b, Metric metric, int classes);

Interval bootstrap_interval(const Trial& trial, Metric metric, int classes);

}  // namespace diptych
