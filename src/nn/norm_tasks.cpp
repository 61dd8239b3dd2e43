#include "nn/norm_tasks.h"

#include <algorithm>
#include <limits>

#include "base/vectorised.h"

namespace diptych {
namespace {

[[gnu::always_inline]] inline void narrow(float value, float& to) { to = value; }
[[gnu::always_inline]] inline void narrow(double value, double& to) { to = value; }
[[gnu::always_inline]] inline void narrow(float value, Bits& to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1), none = bits | 0x400000;
  to = static_cast<Bits>((value == value ? rounded : none) >> 16);
}

#define DIPTYCH_PART         \
  template <typename Number> \
  [[gnu::always_inline]] inline

template <typename Real>
[[gnu::always_inline]] inline void sum_pixels(const std::vector<Real>& row, std::int64_t channels,
                                              Real* to) {
  std::fill_n(to, channels, Real(0));
  for (std::size_t i = 0; i < row.size(); i += static_cast<std::size_t>(channels)) {
    for (std::int64_t c = 0; c < channels; ++c) to[c] += row[i + static_cast<std::size_t>(c)];
  }
}

// Mean and sum of squares from it.
DIPTYCH_PART void take_moments(const NormBatch<Number>& batch, std::int64_t index) {
  using Real = Wide<Number>;
  const std::int64_t run = batch.run(), channels = batch.channels;
  const Number* const x = batch.x + index * batch.picture();
  Real* const mean = batch.sums + index * 2 * channels;
  std::vector<Real> row(static_cast<std::size_t>(run)), means(row.size());
  Real* __restrict sum = row.data();
  for (std::int64_t y = 0; y < batch.height; ++y) {
    const Number* __restrict from = x + y * run;
    for (std::int64_t i = 0; i < run; ++i) sum[i] += wide(from[i]);
  }
  sum_pixels(row, channels, mean);
  const Real share = Real(1) / static_cast<Real>(batch.height * batch.width);
  for (std::int64_t c = 0; c < channels; ++c) mean[c] *= share;
  for (std::int64_t i = 0; i < run; i += channels) {
    std::copy_n(mean, channels, means.data() + i);
  }
  std::fill(row.begin(), row.end(), Real(0));
  const Real* __restrict middle = means.data();
  for (std::int64_t y = 0; y < batch.height; ++y) {
    const Number* __restrict from = x + y * run;
    for (std::int64_t i = 0; i < run; ++i) {
      const Real distance = wide(from[i]) - middle[i];
      sum[i] += distance * distance;
    }
  }
  sum_pixels(row, channels, mean + channels);
}

// Rows that are worked on, and what is found of them on the way.
template <typename Real>
struct Rows {
  explicit Rows(std::int64_t run) {
    for (std::vector<Real>& row : pair) row.resize(static_cast<std::size_t>(run));
    first = second = pair[0];
    most = first;
    line.resize(pair[0].size());
    from = line;
  }
  std::vector<Real> pair[2], first, second;
  std::vector<std::int32_t> line;
  std::vector<Real> most;  // of a window, and where it was
  std::vector<std::int32_t> from;
};

DIPTYCH_PART void activate(const NormBatch<Number>& batch, std::int64_t at,
                           Wide<Number>* __restrict to) {
  using Real = Wide<Number>;
  const std::int64_t run = batch.run();
  const Number* __restrict x = batch.x + at;
  const Real* __restrict scale = batch.scale.data();
  const Real* __restrict shift = batch.shift.data();
  if (!batch.rectifies) {
    for (std::int64_t i = 0; i < run; ++i) to[i] = wide(x[i]) * scale[i] + shift[i];
  } else {
    for (std::int64_t i = 0; i < run; ++i) {
      const Real value = wide(x[i]) * scale[i] + shift[i];
      to[i] = value <= 0 ? Real(0) : value;  // what is not a number stays so
    }
  }
  if (!batch.added) return;
  const Number* __restrict added = batch.added + at;
  for (std::int64_t i = 0; i < run; ++i) to[i] += wide(added[i]);
}

// Where a number of the row is larger than the most so far, it takes its place, and `label` that of
// where that was.
template <typename Real>
[[gnu::always_inline]] inline void take_larger(const Real* __restrict row, std::int64_t count,
                                               std::int32_t label, Real* __restrict most,
                                               std::int32_t* __restrict labels) {
  for (std::int64_t i = 0; i < count; ++i) {
    // Not a number: of nothing is it true that it is at most the most.
    const bool above = !(row[i] <= most[i]) & (most[i] == most[i]);
    most[i] = above ? row[i] : most[i];
    labels[i] = above ? label : labels[i];
  }
}

// first: sums, second: maxima, line: the row where each was found.
template <typename Real>
[[gnu::always_inline]] inline void measure_row(std::int32_t y, const Real* __restrict row,
                                               Rows<Real>& rows) {
  Real* __restrict sum = rows.first.data();
  const auto run = static_cast<std::int64_t>(rows.line.size());
  for (std::int64_t i = 0; i < run; ++i) sum[i] += row[i];
  take_larger(row, run, y, rows.second.data(), rows.line.data());
}

DIPTYCH_PART void write_measures(const NormBatch<Number>& batch, std::int64_t index,
                                 const Rows<Wide<Number>>& rows) {
  using Real = Wide<Number>;
  const std::int64_t channels = batch.channels;
  Real* const mean = batch.measured + index * 2 * channels;
  Real* const most = mean + channels;
  std::int32_t* const highest = batch.highest + index * channels;
  sum_pixels(rows.first, channels, mean);
  std::fill_n(most, channels, -std::numeric_limits<Real>::infinity());
  std::fill_n(highest, channels, 0);
  for (std::int64_t c = 0; c < channels; ++c) {
    mean[c] /= static_cast<Real>(batch.height * batch.width);
    for (std::int64_t x = 0; x < batch.width; ++x) {
      const auto at = static_cast<std::size_t>(x * channels + c);
      const Real value = rows.second[at];
      if (value <= most[c] || most[c] != most[c]) continue;
      most[c] = value;
      highest[c] = static_cast<std::int32_t>(rows.line[at] * batch.width + x);
    }
  }
}

DIPTYCH_PART void pool_rows(const NormBatch<Number>& batch, Rows<Wide<Number>>& rows,
                            std::int64_t at) {
  using Real = Wide<Number>;
  const std::int64_t channels = batch.channels;
  for (std::int64_t window = 0; window < batch.width / 2; ++window, at += channels) {
    const Real* const upper = rows.pair[0].data() + 2 * window * channels;
    const Real* const lower = rows.pair[1].data() + 2 * window * channels;
    Real* const most = rows.most.data();
    std::int32_t* const from = rows.from.data();
    std::copy_n(upper, channels, most);
    std::fill_n(from, channels, 0);
    take_larger(upper + channels, channels, 1, most, from);
    take_larger(lower, channels, 2, most, from);
    take_larger(lower + channels, channels, 3, most, from);
    Number* __restrict map = batch.map + at;
    std::uint8_t* __restrict place = batch.place + at;
    for (std::int64_t c = 0; c < channels; ++c) narrow(most[c], map[c]);
    for (std::int64_t c = 0; c < channels; ++c) place[c] = static_cast<std::uint8_t>(from[c]);
  }
}

DIPTYCH_PART void bring_forward(const NormBatch<Number>& batch, std::int64_t index) {
  using Real = Wide<Number>;
  const std::int64_t run = batch.run();
  Rows<Real> rows(run);
  std::fill(rows.second.begin(), rows.second.end(), -std::numeric_limits<Real>::infinity());
  for (std::int64_t y = 0; y < batch.height; ++y) {
    std::vector<Real>& row = rows.pair[y % 2];
    activate(batch, index * batch.picture() + y * run, row.data());
    if (batch.measures) measure_row(static_cast<std::int32_t>(y), row.data(), rows);
    if (batch.pools && y % 2 == 1) {
      pool_rows(batch, rows, index * batch.windows() + y / 2 * (batch.width / 2) * batch.channels);
    }
    if (batch.pools || batch.measures) continue;
    const Real* __restrict from = row.data();
    Number* __restrict to = batch.map + index * batch.picture() + y * run;
    for (std::int64_t i = 0; i < run; ++i) narrow(from[i], to[i]);
  }
  if (batch.measures) write_measures(batch, index, rows);
}

DIPTYCH_PART void unpool_rows(const NormBatch<Number>& batch, Rows<Wide<Number>>& rows,
                              std::int64_t at) {
  using Real = Wide<Number>;
  const std::int64_t channels = batch.channels;
  for (std::int64_t window = 0; window < batch.width / 2; ++window, at += channels) {
    const Number* __restrict slope = batch.map + at;
    const std::uint8_t* __restrict place = batch.place + at;
    for (std::uint8_t pixel = 0; pixel < 4; ++pixel) {
      Real* __restrict to = rows.pair[pixel / 2].data() + (2 * window + pixel % 2) * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        to[c] += place[c] == pixel ? wide(slope[c]) : Real(0);
      }
    }
  }
}

// The gradients of one or two rows of what comes after the sum, from row y on. first: those of the
// means.
DIPTYCH_PART void find_slopes(const NormBatch<Number>& batch, std::int64_t index, std::int64_t y,
                              Rows<Wide<Number>>& rows) {
  const std::int64_t run = batch.run(), count = std::min<std::int64_t>(2, batch.height - y);
  for (std::int64_t row = 0; row < count; ++row) {
    auto* __restrict to = rows.pair[row].data();
    if (batch.pools || batch.measures) {
      std::copy_n(rows.first.data(), run, to);
      continue;
    }
    const Number* __restrict from = batch.map + index * batch.picture() + (y + row) * run;
    for (std::int64_t i = 0; i < run; ++i) to[i] = wide(from[i]);
  }
  if (batch.pools && count == 2) {
    unpool_rows(batch, rows, index * batch.windows() + y / 2 * (batch.width / 2) * batch.channels);
  }
  if (!batch.measures) return;
  const std::int32_t* const highest = batch.highest + index * batch.channels;
  const auto* const most = batch.measured + (2 * index + 1) * batch.channels;
  for (std::int64_t c = 0; c < batch.channels; ++c) {
    const std::int64_t row = highest[c] / batch.width - y;
    if (row < 0 || row > 1) continue;
    rows.pair[row][static_cast<std::size_t>(highest[c] % batch.width * batch.channels + c)] +=
        most[c];
  }
}

// Where the ReLU lets a gradient through, what there is.
DIPTYCH_PART void rectify_slopes(const NormBatch<Number>& batch, const Number* __restrict x,
                                 Wide<Number>* __restrict slopes) {
  using Real = Wide<Number>;
  if (!batch.rectifies) return;
  const std::int64_t run = batch.run();
  const Real* __restrict scale = batch.scale.data();
  const Real* __restrict shift = batch.shift.data();
  for (std::int64_t i = 0; i < run; ++i) {
    slopes[i] = wide(x[i]) * scale[i] + shift[i] <= 0 ? Real(0) : slopes[i];
  }
}

DIPTYCH_PART void add_up_slopes(const NormBatch<Number>& batch, std::int64_t index) {
  using Real = Wide<Number>;
  const std::int64_t run = batch.run(), channels = batch.channels;
  Rows<Real> rows(run), sums(run);
  if (batch.measures) {
    const Real* const mean = batch.measured + index * 2 * channels;
    const Real share = Real(1) / static_cast<Real>(batch.height * batch.width);
    for (std::size_t i = 0; i < rows.first.size(); ++i) {
      rows.first[i] = mean[i % static_cast<std::size_t>(channels)] * share;
    }
  }
  for (std::int64_t y = 0; y < batch.height; ++y) {
    if (y % 2 == 0) find_slopes(batch, index, y, rows);
    Real* __restrict slopes = rows.pair[y % 2].data();
    const std::int64_t at = index * batch.picture() + y * run;
    if (batch.slope) {
      Number* __restrict to = batch.slope + at;
      for (std::int64_t i = 0; i < run; ++i) narrow(slopes[i], to[i]);
    }
    const Number* __restrict x = batch.x + at;
    rectify_slopes(batch, x, slopes);
    const Real* __restrict mean = batch.mean.data();
    Real* __restrict first = sums.first.data();
    Real* __restrict second = sums.second.data();
    for (std::int64_t i = 0; i < run; ++i) {
      first[i] += slopes[i];
      second[i] += slopes[i] * (wide(x[i]) - mean[i]);
    }
  }
  sum_pixels(sums.first, channels, batch.sums + 2 * index * channels);
  sum_pixels(sums.second, channels, batch.sums + (2 * index + 1) * channels);
}

DIPTYCH_PART void bring_backward(const NormBatch<Number>& batch, std::int64_t index) {
  using Real = Wide<Number>;
  const std::int64_t run = batch.run();
  Rows<Real> rows(run);
  for (std::int64_t y = 0; y < batch.height; ++y) {
    const std::int64_t at = index * batch.picture() + y * run;
    if (y % 2 == 0) find_slopes(batch, index, y, rows);
    Real* __restrict slopes = rows.pair[y % 2].data();
    const Number* __restrict x = batch.x + at;
    rectify_slopes(batch, x, slopes);
    const Real* __restrict scale = batch.scale.data();
    const Real* __restrict by_x = batch.by_x.data();
    const Real* __restrict constant = batch.constant.data();
    Number* __restrict to = batch.of_x + at;
    for (std::int64_t i = 0; i < run; ++i) {
      narrow(slopes[i] * scale[i] + wide(x[i]) * by_x[i] + constant[i], to[i]);
    }
  }
}

DIPTYCH_PART void run_task(NormTask task, const NormBatch<Number>& batch, std::int64_t begin,
                           std::int64_t end) {
  for (std::int64_t index = begin; index < end; ++index) {
    switch (task) {
      case NormTask::moments:
        take_moments(batch, index);
        break;
      case NormTask::forward:
        bring_forward(batch, index);
        break;
      case NormTask::sums:
        add_up_slopes(batch, index);
        break;
      case NormTask::backward:
        bring_backward(batch, index);
        break;
    }
  }
}

#undef DIPTYCH_PART

}  // namespace

DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<float>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}
DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<double>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}
DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<Bits>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}

}  // namespace diptych
