#include "nn/device_pictures.h"

#include <algorithm>
#include <numbers>
#include <vector>

#include "nn/device.h"

namespace diptych {
namespace {

// [rows, S…] of what each picture's draw gives, moved to the device in one piece.
template <typename T, typename Give>
torch::Tensor table_of(std::span<const Augmentation> drawn, at::Device device, const Give& give) {
  std::vector<T> values;
  for (const Augmentation& one : drawn) give(one, values);
  const auto rows = static_cast<std::int64_t>(drawn.size());
  return on_device(torch::tensor(values).view({rows, -1}), device);
}

// A coordinate's pixel, the next one (itself at the edge), and how far between the two it lies.
struct Between {
  torch::Tensor pixel, next, weight;
};

Between between(const torch::Tensor& coordinate, std::int64_t last) {
  const torch::Tensor inside = coordinate.clamp(0, last << kCoordinateBits);
  const torch::Tensor pixel = inside.bitwise_right_shift(kCoordinateBits);
  const torch::Tensor weight = inside.bitwise_and((1 << kCoordinateBits) - 1)
                                   .bitwise_right_shift(kCoordinateBits - kWeightBits);
  return {pixel, (pixel + 1).clamp_max(last), weight.unsqueeze(1)};
}

torch::Tensor warped(const torch::Tensor& pixels, std::span<const Augmentation> drawn) {
  const std::int64_t rows = pixels.size(0), side = pixels.size(2), last = side - 1;
  const torch::Tensor table = table_of<std::int64_t>(
      drawn, pixels.device(), [&](const Augmentation& one, std::vector<std::int64_t>& values) {
        const WarpedRows warp = warped_rows(one.warp, static_cast<int>(side));
        values.insert(values.end(), {warp.step_x, warp.step_y});
        values.insert(values.end(), warp.x.begin(), warp.x.end());
        values.insert(values.end(), warp.y.begin(), warp.y.end());
      });  // [B,2+2S]
  const torch::Tensor column = torch::arange(side, table.options());
  const auto coordinate = [&](std::int64_t axis) {  // [B,S,S]
    const torch::Tensor first = table.slice(1, 2 + axis * side, 2 + (axis + 1) * side);
    return first.unsqueeze(2) + table.slice(1, axis, axis + 1).unsqueeze(2) * column;
  };
  const Between across = between(coordinate(0), last), down = between(coordinate(1), last);
  const torch::Tensor flat = pixels.contiguous().view({rows, 3, side * side});
  const auto at = [&](const torch::Tensor& y, const torch::Tensor& x) {
    const torch::Tensor place = (y * side + x).view({rows, 1, side * side});
    return flat.gather(2, place.expand({rows, 3, side * side}))
        .view({rows, 3, side, side})
        .to(at::kLong);
  };
  constexpr int kOne = 1 << kWeightBits, kHalf = 1 << (2 * kWeightBits - 1);
  const auto mixed = [](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& of_b) {
    return a * (kOne - of_b) + b * of_b;
  };
  const torch::Tensor above =
      mixed(at(down.pixel, across.pixel), at(down.pixel, across.next), across.weight);
  const torch::Tensor below =
      mixed(at(down.next, across.pixel), at(down.next, across.next), across.weight);
  return (mixed(above, below, down.weight) + kHalf)
      .bitwise_right_shift(2 * kWeightBits)
      .to(at::kByte);
}

torch::Tensor luma_of(const torch::Tensor& red_green_blue, std::int64_t dimension) {
  const auto channel = [&](std::int64_t c) {
    return red_green_blue.select(dimension, c).to(at::kFloat);
  };
  return channel(0) * kRedLuma + channel(1) * kGreenLuma + channel(2) * kBlueLuma;
}

torch::Tensor recoloured(const torch::Tensor& pixels, std::span<const Augmentation> drawn) {
  const torch::Tensor table = table_of<float>(
      drawn, pixels.device(), [](const Augmentation& one, std::vector<float>& values) {
        const ColourChange change = one.colour.value_or(ColourChange{});
        values.insert(values.end(), {change.own, change.grey, change.mean});
      });
  const auto factor = [&](std::int64_t i) { return table.select(1, i).view({-1, 1, 1, 1}); };
  const auto count = static_cast<double>(pixels.size(2) * pixels.size(3));
  const torch::Tensor mean = (luma_of(pixels.sum({2, 3}), 1) / count).view({-1, 1, 1, 1});
  const torch::Tensor offset = factor(2) * mean + 0.5;
  const torch::Tensor shared = factor(1) * luma_of(pixels, 1).unsqueeze(1) + offset;
  return (factor(0) * pixels.to(at::kFloat) + shared).to(at::kInt).clamp(0, 255).to(at::kByte);
}

torch::Tensor erased(const torch::Tensor& pixels, std::span<const Augmentation> drawn) {
  const torch::Tensor table = table_of<std::int64_t>(
      drawn, pixels.device(), [](const Augmentation& one, std::vector<std::int64_t>& values) {
        const Erased gone = one.erased.value_or(Erased{});
        values.insert(values.end(),
                      {gone.left, gone.left + gone.width, gone.top, gone.top + gone.height});
        values.insert(values.end(), gone.colour.begin(), gone.colour.end());
      });
  const torch::Tensor place = torch::arange(pixels.size(2), table.options());
  const auto inside = [&](std::int64_t from) {  // [B,S]
    return (place >= table.slice(1, from, from + 1)) & (place < table.slice(1, from + 1, from + 2));
  };
  const torch::Tensor gone = inside(2).unsqueeze(2) & inside(0).unsqueeze(1);  // [B,S,S]
  const torch::Tensor colour = table.slice(1, 4, 7).to(at::kByte).view({-1, 3, 1, 1});
  return torch::where(gone.unsqueeze(1), colour, pixels);
}

bool any_of(std::span<const Augmentation> drawn, bool (*holds)(const Augmentation&)) {
  return std::any_of(drawn.begin(), drawn.end(), holds);
}

// [B,N] places below `size` and what to add there → [B,size].
torch::Tensor summed(const torch::Tensor& places, const torch::Tensor& shares, std::int64_t size) {
  return torch::zeros({places.size(0), size}, shares.options()).scatter_add_(1, places, shares);
}

}  // namespace

torch::Tensor augmented(const torch::Tensor& pixels, std::span<const Augmentation> drawn) {
  torch::Tensor result = warped(pixels, drawn);
  if (any_of(drawn, [](const Augmentation& one) { return one.colour.has_value(); })) {
    result = recoloured(result, drawn);
  }
  if (any_of(drawn, [](const Augmentation& one) { return one.erased.has_value(); })) {
    result = erased(result, drawn);
  }
  return result.contiguous(at::MemoryFormat::ChannelsLast);
}

torch::Tensor colour_histograms(const torch::Tensor& pixels, int bins) {
  const torch::Tensor position = pixels.flatten(2).to(at::kFloat) * (bins - 1) / 255;  // [B,3,N]
  const torch::Tensor bin = position.floor().clamp_max(bins - 2);
  const torch::Tensor above = position - bin, below = 1 - above, first = bin.to(at::kLong);
  const auto of = [](const torch::Tensor& x, std::int64_t channel) { return x.select(1, channel); };
  std::vector<torch::Tensor> places, shares;
  for (const int red : {0, 1}) {
    for (const int green : {0, 1}) {
      for (const int blue : {0, 1}) {
        places.push_back(((of(first, 0) + red) * bins + of(first, 1) + green) * bins +
                         of(first, 2) + blue);
        shares.push_back(of(red ? above : below, 0) * of(green ? above : below, 1) *
                         of(blue ? above : below, 2));
      }
    }
  }
  return (summed(torch::cat(places, 1), torch::cat(shares, 1), bins * bins * bins) /
          static_cast<double>(pixels.size(2) * pixels.size(3)))
      .sqrt();
}

namespace {

constexpr int kOrientations = 9;

// Central differences along the last dimension, 0 beyond the border.
torch::Tensor difference(const torch::Tensor& x) {
  const torch::Tensor inner = x.slice(3, 2) - x.slice(3, 0, -2);
  return at::constant_pad_nd(inner, {1, 1}, 0);
}

// [B,cells,cells,9] sums of the votes of all pixels.
torch::Tensor votes_of(const torch::Tensor& pixels, int cells) {
  const std::int64_t side = pixels.size(2);
  const torch::Tensor values = pixels.to(at::kFloat);
  const torch::Tensor across = difference(values);
  const torch::Tensor down = difference(values.transpose(2, 3)).transpose(2, 3);
  const torch::Tensor squares = across * across + down * down;
  const torch::Tensor most = squares.argmax(1, /*keepdim=*/true);  // the channel that changes most
  const torch::Tensor dx = across.gather(1, most).flatten(1), dy = down.gather(1, most).flatten(1);
  const torch::Tensor length = (dx * dx + dy * dy).sqrt() / 255;
  const torch::Tensor angle = torch::atan2(dy, dx) / std::numbers::pi;  // undirected: 0..1
  const torch::Tensor position = torch::where(angle < 0, angle + 1, angle) * kOrientations;
  const torch::Tensor lower = position.floor();
  const torch::Tensor above = position - lower,
                      first = lower.to(at::kLong).remainder(kOrientations);
  const torch::Tensor cell_of = (torch::arange(side, first.options()) * cells).div(side, "floor");
  const torch::Tensor cell = (cell_of.unsqueeze(1) * cells + cell_of).flatten() * kOrientations;
  const torch::Tensor second = (first + 1).remainder(kOrientations);
  return summed(torch::cat({cell + first, cell + second}, 1),
                torch::cat({length * (1 - above), length * above}, 1),
                std::int64_t{cells} * cells * kOrientations)
      .view({pixels.size(0), cells, cells, kOrientations});
}

}  // namespace

torch::Tensor gradient_histograms(const torch::Tensor& pixels, int cells) {
  constexpr double kLeastNorm = 0.01, kMost = 0.2;
  const torch::Tensor grid = votes_of(pixels, cells);
  const auto corner = [&](std::int64_t y, std::int64_t x) {
    return grid.slice(1, y, cells - 1 + y).slice(2, x, cells - 1 + x);
  };
  const torch::Tensor blocks =
      torch::cat({corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)}, 3);
  const auto scaled = [](const torch::Tensor& x, double most) {
    return (x / ((x * x).sum(3, /*keepdim=*/true) + kLeastNorm).sqrt()).clamp_max(most);
  };
  return scaled(scaled(blocks, kMost), 1).flatten(1);
}

}  // namespace diptych
