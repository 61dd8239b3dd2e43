#include "nn/packed_lstm.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>

#include "nn/packed_kernels.h"

namespace diptych {
namespace {

constexpr int kTile = 8;  // rows that go through the tokens side by side

class Together {
 public:
  Together(const PackedLstm& lstm, std::size_t rows)
      : lstm_(lstm),
        rows_(rows),
        slots_(rows > 1 ? kTile : 1),  // multiply() is at its best with a whole tile
        width_(static_cast<std::size_t>(lstm.input.blocks() * lstm.input.width)),
        recurrent_(slots_ * width_),
        cell_(rows * features()),
        hidden_(slots_ * features()) {}

  // x of row i begins at from[i]; lengths descend.
  void run(std::span<const float* const> from, std::span<const std::int64_t> lengths) {
    const auto longest = static_cast<std::size_t>(lengths.front());
    projected_.resize(rows_ * longest * width_);
    for (std::size_t row = 0; row < rows_; ++row) {
      multiply(lstm_.input, {from[row], lstm_.inputs, static_cast<int>(lengths[row])},
               {0, lstm_.input.blocks()}, projected_.data() + row * longest * width_);
    }
    std::size_t going = rows_;
    for (std::size_t token = 0; token < longest; ++token) {
      multiply(lstm_.recurrent, {hidden_.data(), lstm_.features, static_cast<int>(slots_)},
               {0, lstm_.recurrent.blocks()}, recurrent_.data());
      while (lengths[going - 1] <= static_cast<std::int64_t>(token)) --going;
      for (std::size_t row = 0; row < going; ++row) {
        packed_kernels().lstm_step({projected_.data() + (row * longest + token) * width_,
                                    recurrent_.data() + row * width_},
                                   lstm_.features, cell_.data() + row * features(),
                                   hidden_.data() + row * features());
      }
    }
  }

  const float* state(std::size_t row) const { return hidden_.data() + row * features(); }

 private:
  std::size_t features() const { return static_cast<std::size_t>(lstm_.features); }

  const PackedLstm& lstm_;
  std::size_t rows_, slots_, width_;
  std::vector<float> projected_, recurrent_, cell_, hidden_;
};

}  // namespace

void PackedLstm::last_states(std::span<const float> x, std::span<const std::int64_t> lengths,
                             float* states) const {
  const std::size_t rows = lengths.size();
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  const auto run = [&](std::size_t begin, std::size_t end) {
    std::vector<const float*> from;
    std::vector<std::int64_t> sorted;
    for (std::size_t i = begin; i < end; ++i) {
      from.push_back(x.data() + order[i] * (x.size() / rows));
      sorted.push_back(lengths[order[i]]);
    }
    Together together(*this, end - begin);
    together.run(from, sorted);
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(together.state(i - begin), features,
                  states + order[i] * static_cast<std::size_t>(features));
    }
  };
  const std::int64_t tiles = (static_cast<std::int64_t>(rows) + kTile - 1) / kTile;
  at::parallel_for(0, tiles, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto tile = static_cast<std::size_t>(first); tile < static_cast<std::size_t>(last);
         ++tile) {
      run(tile * kTile, std::min<std::size_t>((tile + 1) * kTile, rows));
    }
  });
}

}  // namespace diptych
