// The kernels of every kind of registers that this processor has against the same code on plain
// ones, which are of another shape than some: tiles, blocks and ends of rows differ.
#include <gtest/gtest.h>

#include <cmath>

#include "nn/lanes_plain.h"

#define DIPTYCH_REGISTERS plain
#define DIPTYCH_KERNEL
#define DIPTYCH_LANES inline
#include "nn/packed_code.h"

namespace diptych {
namespace {

std::vector<PackedKernels> kernels_here() {
  std::vector<PackedKernels> kinds;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kinds.push_back(avx2_kernels());
  }
  if (multiplies_bf16_here()) kinds.push_back(avx512_kernels());
#endif
  return kinds;
}

// As even as sin(), and the same wherever it is asked for.
class Draw {
 public:
  float operator()() { return std::sin(static_cast<float>(++count_) * 12.9898F); }
  std::vector<float> numbers(std::size_t count) {
    std::vector<float> all(count);
    std::generate(all.begin(), all.end(), [this] { return (*this)(); });
    return all;
  }

 private:
  int count_ = 0;
};

// Numbers of maps, which lie side by side, and back; fp32 or bf16.
std::vector<std::byte> stored(const std::vector<float>& numbers, Arithmetic arithmetic) {
  const auto each = static_cast<std::size_t>(bytes_of_number(arithmetic));
  std::vector<std::byte> bytes(each * numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (each == 4) std::memcpy(&bytes[4 * i], &numbers[i], 4);
    if (each == 2) plain::Bf16::store(&bytes[2 * i], 1, plain::all(numbers[i]), 1);
  }
  return bytes;
}
std::vector<float> read(const std::vector<std::byte>& bytes, Arithmetic arithmetic) {
  const auto each = static_cast<std::size_t>(bytes_of_number(arithmetic));
  std::vector<float> numbers(bytes.size() / each);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (each == 4) std::memcpy(&numbers[i], &bytes[4 * i], 4);
    if (each == 2) numbers[i] = plain::Bf16::load(&bytes[2 * i], 1, 1).lanes[0];
  }
  return numbers;
}

struct Layer {
  int side, channels, outputs;
  PackedConvolution convolution;
};

Map made_up_map(int side, int channels, Arithmetic arithmetic, Draw& draw) {
  Map map(side, channels, arithmetic);
  for (int y = 0; y < side; ++y) {
    for (int i = 0; i < side * channels; ++i) {
      const float number = draw();
      auto* const row = map.at(y, 0);
      if (arithmetic == Arithmetic::fp32) std::memcpy(row + 4 * i, &number, 4);
      if (arithmetic == Arithmetic::bf16) plain::Bf16::store(row + 2 * i, 1, plain::all(number), 1);
      if (arithmetic == Arithmetic::int8) row[i] = std::byte(100 + std::lround(100 * number));
    }
  }
  return map;
}

// What a layer leaves: its map, and what it measured.
struct Outcome {
  std::vector<float> map, measured;
  std::vector<std::uint8_t> places;
};

Outcome outcome(const PackedKernels& kernels, Layer layer, Arithmetic arithmetic) {
  const InPlaceOfKernels chosen(kernels);
  Draw draw;
  PackedConvolution& convolution = layer.convolution;
  const std::vector<float> weights =
      draw.numbers(static_cast<std::size_t>(layer.outputs * 9 * layer.channels));
  const std::vector<float> bias = draw.numbers(static_cast<std::size_t>(layer.outputs));
  pack_filters(convolution, {weights, bias, layer.outputs, layer.channels}, arithmetic);
  const Map input = made_up_map(layer.side, layer.channels, arithmetic, draw);
  Map output(convolution.output_side(layer.side), layer.outputs, arithmetic);
  const auto lanes =
      static_cast<std::size_t>(convolution.weights.blocks() * convolution.weights.width);
  const auto pairs = static_cast<std::size_t>(convolution.pairs(layer.side));
  Measured measured{std::vector<float>(pairs * lanes), std::vector<float>(pairs * lanes)};
  Outcome left;
  if (convolution.pools && layer.side % 2 == 0) {
    left.places.resize(static_cast<std::size_t>(output.side() * output.side() * layer.outputs));
    measured.places = left.places.data();
  }
  kernels.convolve(convolution, input, {0, convolution.pairs(layer.side)}, output, measured);
  for (int y = -1; y <= output.side(); ++y) {  // with its border, which nothing may touch
    for (int i = -1; i <= output.side() * layer.outputs; ++i) {
      const auto* const at = output.at(y, 0) + i * bytes_of_number(arithmetic);
      left.map.push_back(arithmetic == Arithmetic::fp32   ? plain::Fp32::load(at, 1, 1).lanes[0]
                         : arithmetic == Arithmetic::bf16 ? plain::Bf16::load(at, 1, 1).lanes[0]
                                                          : plain::Int8::load(at, 1, 1).lanes[0]);
    }
  }
  for (std::size_t pair = 0; convolution.measures && pair < pairs; ++pair) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(layer.outputs); ++i) {
      left.measured.push_back(measured.sums[pair * lanes + i]);
      left.measured.push_back(measured.largest[pair * lanes + i]);
    }
  }
  return left;
}

double furthest(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = std::abs(a[i] - b[i]) / (1 + std::abs(b[i]));
    most = apart <= most ? most : apart;  // what is not a number is furthest
  }
  return most;
}

// Of bf16 a few sums are on the edge between two numbers, of int8 between two steps.
double bound(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::fp32 ? 1e-5 : arithmetic == Arithmetic::bf16 ? 0.01 : 0;
}

void expect_alike(const Layer& layer, Arithmetic arithmetic) {
  const Outcome wanted = outcome(plain::kernels(), layer, arithmetic);
  for (const PackedKernels& kernels : kernels_here()) {
    const PackedConvolution& made = layer.convolution;
    SCOPED_TRACE(testing::Message()
                 << "blocks of " << kernels.block << ", side " << layer.side << ", "
                 << layer.channels << " to " << layer.outputs << " channels, stride " << made.stride
                 << (made.pools ? ", pools" : "") << (made.measures ? ", measures" : "")
                 << (made.adds_input ? ", adds" : "") << (made.rectifies ? "" : ", no ReLU")
                 << ", arithmetic " << static_cast<int>(arithmetic));
    const Outcome found = outcome(kernels, layer, arithmetic);
    EXPECT_LE(furthest(found.map, wanted.map), bound(arithmetic));
    EXPECT_LE(furthest(found.measured, wanted.measured), std::max(bound(arithmetic), 1e-4));
    std::size_t other = 0;
    for (std::size_t i = 0; i < wanted.places.size(); ++i) {
      other += found.places[i] != wanted.places[i];
    }
    EXPECT_LE(other, arithmetic == Arithmetic::bf16 ? wanted.places.size() / 50 : 1);
  }
}

TEST(PackedKernels, ConvolveAlikeOnRegistersOfEveryKind) {
  if (kernels_here().empty()) GTEST_SKIP() << "needs AVX2 with FMA";
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::bf16, Arithmetic::int8}) {
    for (const int side : {2, 3, 5, 8, 13, 34}) {
      for (const auto& [channels, outputs] :
           std::vector<std::pair<int, int>>{{4, 16}, {4, 40}, {20, 33}, {40, 40}, {32, 64}}) {
        for (int mode = 0; mode < 16; ++mode) {
          Layer layer{side, channels, outputs, {}};
          layer.convolution.pools = mode & 1;
          layer.convolution.measures = mode & 2;
          layer.convolution.rectifies = arithmetic == Arithmetic::int8 || !(mode & 4);
          layer.convolution.stride = mode & 8 ? 2 : 1;
          layer.convolution.adds_input = channels == outputs && !(mode & 8);
          layer.convolution.output_scale = layer.convolution.input_scale = 10;
          expect_alike(layer, arithmetic);
        }
      }
    }
  }
}

TEST(PackedKernels, TrainAlikeOnRegistersOfEveryKind) {
  if (kernels_here().empty()) GTEST_SKIP() << "needs AVX2 with FMA";
  constexpr std::int64_t kPictures = 7;
  struct Training {
    std::vector<std::byte> outputs;
    std::vector<float> gradient;
  };
  const auto train = [](const PackedKernels& kernels, Arithmetic arithmetic, std::int64_t side,
                        int channels, int outputs) {
    const InPlaceOfKernels chosen(kernels);
    Draw draw;
    const auto pictures = [&](std::int64_t width) {
      return stored(draw.numbers(static_cast<std::size_t>(kPictures * side * side * width)),
                    arithmetic);
    };
    const std::vector<std::byte> seen = pictures(channels), slopes = pictures(outputs);
    const std::vector<float> filters =
        draw.numbers(static_cast<std::size_t>(9 * channels * outputs));
    const Pictures inputs{seen.data(), kPictures, side, channels, arithmetic};
    const Pictures gradients{slopes.data(), kPictures, side, outputs, arithmetic};
    PointFilters points{nullptr, outputs, channels};
    std::vector<float> at_points(static_cast<std::size_t>(points.size()));
    points.numbers = at_points.data();
    kernels.pack_filters_at_points({filters.data(), outputs, channels, 9L * channels, 9, 3, 1}, 0,
                                   channels, points);
    Training left{std::vector<std::byte>(slopes.size()), std::vector<float>(filters.size())};
    kernels.convolve_pictures(points, inputs,
                              {left.outputs.data(), kPictures, side, outputs, arithmetic});
    PatchPoints sees{nullptr, inputs.patches(), channels};
    PatchPoints is_given{nullptr, inputs.patches(), outputs};
    std::vector<float> room(static_cast<std::size_t>(sees.size() + is_given.size()));
    sees.numbers = room.data();
    is_given.numbers = sees.numbers + sees.size();
    kernels.patches_at_points(inputs, gradients, 0, sees.patches, sees, is_given);
    std::vector<float> sums(
        static_cast<std::size_t>(kPatchPoints * points_apart(std::int64_t{channels} * outputs)),
        NAN);
    for (const bool adds : {false, true}) {
      kernels.add_filter_gradient(sees, is_given, adds, 0, kPatchPoints, sums.data());
    }
    kernels.filters_from_points(sums.data(), channels, outputs, 0, channels, left.gradient.data());
    return left;
  };
  for (const auto& [side, channels, outputs] : std::vector<std::array<int, 3>>{
           {1, 16, 32}, {2, 48, 64}, {5, 32, 96}, {10, 80, 32}, {21, 16, 32}, {65, 16, 32}}) {
    for (const PackedKernels& kernels : kernels_here()) {
      for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::bf16}) {
        const Training found = train(kernels, arithmetic, side, channels, outputs);
        const Training wanted = train(plain::kernels(), arithmetic, side, channels, outputs);
        EXPECT_LT(furthest(read(found.outputs, arithmetic), read(wanted.outputs, arithmetic)),
                  arithmetic == Arithmetic::bf16 ? 8e-3 : 2e-4)
            << side;
        EXPECT_LT(furthest(found.gradient, wanted.gradient), 2e-4) << side;
      }
    }
  }
}

TEST(PackedKernels, ConvolvePixelsAlikeOnRegistersOfEveryKind) {
  if (kernels_here().empty()) GTEST_SKIP() << "needs AVX2 with FMA";
  constexpr std::int64_t kPictures = 2;
  const auto train = [](const PackedKernels& kernels, Arithmetic arithmetic, std::int64_t side,
                        std::int64_t outputs) {
    Draw draw;
    std::vector<std::uint8_t> bytes;
    for (std::int64_t i = 0; i < kPictures * side * side * 3; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(std::lround(127 * (1 + draw()))));
    }
    const BytePictures pictures{bytes.data(), kPictures, side, {0.02F, 0.01F, 0.03F}, {-2, -1, 0}};
    const std::vector<float> filters = draw.numbers(static_cast<std::size_t>(27 * outputs));
    const std::int64_t half = (side + 1) / 2;
    const auto count = static_cast<std::size_t>(kPictures * half * half * outputs);
    const std::vector<std::byte> slopes = stored(draw.numbers(count), arithmetic);
    std::vector<std::byte> made(slopes.size());
    kernels.convolve_pixels(pictures, filters.data(),
                            {made.data(), kPictures, half, outputs, arithmetic});
    std::vector<float> gradients(filters.size() * kPictures);
    kernels.pixel_gradients(pictures, {slopes.data(), kPictures, half, outputs, arithmetic},
                            gradients.data());
    return std::pair(read(made, arithmetic), gradients);
  };
  for (const PackedKernels& kernels : kernels_here()) {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::bf16}) {
      for (const std::int64_t side : {1, 2, 5, 16, 33, 70}) {
        for (const std::int64_t outputs : {16, 32, 48}) {
          const auto found = train(kernels, arithmetic, side, outputs);
          const auto wanted = train(plain::kernels(), arithmetic, side, outputs);
          EXPECT_LT(furthest(found.first, wanted.first),
                    arithmetic == Arithmetic::bf16 ? 8e-3 : 1e-5);
          EXPECT_LT(furthest(found.second, wanted.second), 1e-4);
        }
      }
    }
  }
}

TEST(PackedKernels, MultiplyAlikeOnRegistersOfEveryKind) {
  if (kernels_here().empty()) GTEST_SKIP() << "needs AVX2 with FMA";
  constexpr int kRows = 13, kOutputs = 70, kLength = 5000;  // more than one chunk
  const auto products = [](const PackedKernels& kernels) {
    const InPlaceOfKernels chosen(kernels);
    Draw draw;
    const std::vector<float> weights = draw.numbers(std::size_t{kOutputs} * kLength);
    const PackedWeights packed =
        pack_weights(weights, draw.numbers(kOutputs), {kOutputs, 1, kLength}, Arithmetic::fp32);
    const std::vector<float> rows = draw.numbers(std::size_t{kRows} * kLength);
    const int width = packed.blocks() * packed.width;
    std::vector<float> all(static_cast<std::size_t>(kRows * width)), meant;
    multiply(packed, {rows.data(), kLength, kRows}, {0, packed.blocks()}, all.data());
    for (int row = 0; row < kRows; ++row) {
      meant.insert(meant.end(), all.begin() + row * width, all.begin() + row * width + kOutputs);
    }
    return meant;
  };
  for (const PackedKernels& kernels : kernels_here()) {
    EXPECT_LT(furthest(products(kernels), products(plain::kernels())), 1e-4);
  }
}

TEST(PackedKernels, StepAnLstmAlikeOnRegistersOfEveryKind) {
  if (kernels_here().empty()) GTEST_SKIP() << "needs AVX2 with FMA";
  constexpr std::size_t kFeatures = 21;
  const auto states = [](const PackedKernels& kernels) {
    Draw draw;
    const std::vector<float> projected = draw.numbers(4 * kFeatures);
    const std::vector<float> recurrent = draw.numbers(4 * kFeatures);
    std::vector<float> both = draw.numbers(2 * kFeatures);
    kernels.lstm_step({projected.data(), recurrent.data()}, kFeatures, both.data(),
                      both.data() + kFeatures);
    return both;
  };
  for (const PackedKernels& kernels : kernels_here()) {
    EXPECT_LT(furthest(states(kernels), states(plain::kernels())), 1e-6);
  }
}

}  // namespace
}  // namespace diptych
