// Against the plain loops over pixels that define it, on tensors of the processor.
#include "nn/device_pictures.h"

#include <gtest/gtest.h>

#include "image/colour_histogram.h"
#include "image/gradient_histogram.h"

namespace diptych {
namespace {

constexpr int kRows = 12;

// Smooth in some rows, noise in others, as uint8 [B,3,S,S] channels last.
torch::Tensor made_up_pictures(int side) {
  torch::manual_seed(side);
  const torch::Tensor smooth = torch::linspace(0, 9, side).sin().view({1, side, 1, 1}) * 80 +
                               torch::linspace(0, 5, side).cos().view({1, 1, side, 1}) * 60 +
                               torch::rand({kRows, 1, 1, 3}) * 110;
  const torch::Tensor noise = torch::rand({kRows, side, side, 3}) * 255;
  const torch::Tensor noisy = (torch::arange(kRows) % 3 == 0).view({kRows, 1, 1, 1});
  return torch::where(noisy, noise, smooth.abs()).clamp(0, 255).to(at::kByte).permute({0, 3, 1, 2});
}

std::span<const std::uint8_t> bytes_of(const torch::Tensor& pixels, int row) {
  const torch::Tensor picture = pixels[row].permute({1, 2, 0});
  EXPECT_TRUE(picture.is_contiguous());
  return {picture.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(picture.numel())};
}

TEST(DevicePictures, AreChangedAsOnTheHostByTheSameDraws) {
  for (const int side : {9, 32}) {
    const torch::Tensor pixels = made_up_pictures(side);
    for (const AugmentOptions& options :
         {AugmentOptions{.flip = 1}, AugmentOptions{.shift = 0.4}, AugmentOptions{.scale = 0.5},
          AugmentOptions{.rotate = 180}, AugmentOptions{.colour = 0.9},
          AugmentOptions{.erase = 0.7}, AugmentOptions{0.5, 0.2, 0.2, 30, 0.4, 0.5}}) {
      std::vector<Augmentation> drawn;
      for (std::uint64_t row = 0; row < kRows; ++row) {
        Rng rng(3, Stream::augment, 1, row);
        drawn.push_back(row == 5 ? Augmentation{} : draw_augmentation(side, options, rng));
      }
      const torch::Tensor changed = augmented(pixels, drawn);
      ASSERT_EQ(changed.sizes(), pixels.sizes());
      for (int row = 0; row < kRows; ++row) {
        const auto from = bytes_of(pixels, row), found = bytes_of(changed, row);
        std::vector<std::uint8_t> expected(from.size());
        augment(from, side, drawn[static_cast<std::size_t>(row)], expected);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_LE(std::abs(expected[i] - found[i]), options.colour > 0 ? 1 : 0)
              << "side " << side << ", row " << row << ", byte " << i;
        }
      }
    }
  }
}

TEST(DevicePictures, AreDescribedAsOnTheHost) {
  for (const int side : {9, 32}) {
    const torch::Tensor pixels = made_up_pictures(side);
    for (const int parts : {2, 3, 8}) {
      const torch::Tensor colours = colour_histograms(pixels, parts);
      const torch::Tensor gradients = gradient_histograms(pixels, parts);
      for (int row = 0; row < kRows; ++row) {
        std::vector<float> colour(static_cast<std::size_t>(parts * parts * parts));
        std::vector<float> gradient(gradient_histogram_size(parts));
        colour_histogram(bytes_of(pixels, row), parts, colour);
        gradient_histogram(bytes_of(pixels, row), side, parts, gradient);
        EXPECT_LT((colours[row] - torch::tensor(colour)).abs().max().item<double>(), 1e-5);
        EXPECT_LT((gradients[row] - torch::tensor(gradient)).abs().max().item<double>(), 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace diptych
