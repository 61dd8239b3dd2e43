// The weights of a trained layer as the answering path reads them: in blocks of outputs, each group
// of one fp32, two bf16 or four 8-bit numbers side by side. Free of torch.
#pragma once
#include <algorithm>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "diptych/arithmetic.h"

namespace diptych {

// Whether this processor runs what is packed (AVX2 with FMA).
bool packs_here();
// Whether it multiplies bf16, and 8-bit integers, as such (AVX-512 with BF16 and VNNI).
bool multiplies_bf16_here();
// Throws Error{usage} where it does not: int8 has no other way. where: of the model.
void require_int8_here(const std::string& where);

// Numbers in a group of 32 bits: 1, 2, 4.
int numbers_in_group(Arithmetic arithmetic);
int bytes_of_number(Arithmetic arithmetic);

// Memory from the beginning of a cache line on: a register that lies in two lines is read twice.
template <typename Number>
struct WholeLines {
  using value_type = Number;
  static constexpr std::align_val_t kLine{64};
  WholeLines() = default;
  template <typename Other>
  explicit WholeLines(const WholeLines<Other>&) {}
  Number* allocate(std::size_t count) {
    return static_cast<Number*>(::operator new(count * sizeof(Number), kLine));
  }
  void deallocate(Number* numbers, std::size_t) { ::operator delete(numbers, kLine); }
  bool operator==(const WholeLines&) const { return true; }
};

// O filters of `runs` runs of `length` numbers: an output is the sum over runs of products with as
// many runs of an input (three rows of three pixels, or one row of features). A run is padded with
// zeros to whole groups.
struct PackedWeights {
  Arithmetic arithmetic = Arithmetic::fp32;
  int outputs = 0, runs = 1, width = 1;  // outputs of a block, which this processor likes
  std::int64_t steps = 0;                // groups of a run
  std::vector<std::uint32_t, WholeLines<std::uint32_t>> groups;  // [blocks, runs, steps, width]
  std::vector<float> scale, bias;  // [blocks·width]; an output is scale·sum + bias (scale: int8)

  int blocks() const { return (outputs + width - 1) / width; }
  int outputs_of(int block) const { return std::min(width, outputs - width * block); }
  const std::uint32_t* block(int index) const {
    return groups.data() + static_cast<std::int64_t>(index) * runs * steps * width;
  }
  std::uint32_t* block(int index) {
    return groups.data() + static_cast<std::int64_t>(index) * runs * steps * width;
  }
};

struct PackShape {
  int outputs = 0, runs = 1;
  std::int64_t length = 0;
};

// weights: [O, runs, length]; bias: [O] or empty. int8: each filter gets the step of 127ths of its
// largest weight; `input_step` is what a step of the input, an unsigned 8-bit number, stands for.
PackedWeights pack_weights(std::span<const float> weights, std::span<const float> bias,
                           const PackShape& shape, Arithmetic arithmetic, float input_step = 1);
// The same block by block, where filters do not lie together: all zero, then the [outputs, runs,
// length] of one block, from any thread.
PackedWeights unfilled_weights(std::span<const float> bias, const PackShape& shape,
                               Arithmetic arithmetic);
void fill_block(PackedWeights& packed, int block, std::span<const float> filters, float input_step);

// Rows of features in groups, each `stride` groups after the other.
struct Rows {
  const void* groups = nullptr;
  std::int64_t stride = 0;
  int count = 0;
};
struct Blocks {
  int begin = 0, end = 0;
};
// rows times weights of one run, for some blocks: [rows, blocks()·width] fp32. A row is summed
// alike however many there are.
void multiply(const PackedWeights& weights, const Rows& rows, Blocks blocks, float* outputs);

}  // namespace diptych
