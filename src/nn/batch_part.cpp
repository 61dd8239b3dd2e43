#include "nn/batch_part.h"

#include <bit>

namespace diptych {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

World* world_of(AutogradContext* context) {
  return std::bit_cast<World*>(context->saved_data["world"].toInt());
}

void remember(AutogradContext* context, World* world) {
  context->saved_data["world"] = std::bit_cast<std::int64_t>(world);
}

// Every process' loss is a share of the whole loss, so the gradient of a sum is the sum of theirs.
class SumOfAll : public torch::autograd::Function<SumOfAll> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, World* world) {
    remember(context, world);
    const torch::Tensor sum = x.clone(at::MemoryFormat::Contiguous);
    world->sum(sum);
    return sum;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor sum = gradients[0].clone(at::MemoryFormat::Contiguous);
    world_of(context)->sum(sum);
    return {sum, torch::Tensor()};
  }
};

}  // namespace

BatchPart::BatchPart(World& all, std::int64_t rows) : end(rows), whole(rows) {
  if (all.size() == 1) return;
  world = &all;
  begin = rows * all.rank() / all.size();
  end = rows * (all.rank() + 1) / all.size();
}

torch::Tensor whole_like(const torch::Tensor& x, const BatchPart& part) {
  if (!part.world) return torch::empty_like(x);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.front() = part.whole;
  return torch::empty(shape, x.options());
}

torch::Tensor own_rows(const torch::Tensor& whole, const BatchPart& part) {
  return part.world ? whole.slice(0, part.begin, part.end) : whole;
}

std::span<const std::int64_t> own_rows(std::span<const std::int64_t> whole, const BatchPart& part) {
  return whole.subspan(static_cast<std::size_t>(part.begin), static_cast<std::size_t>(part.size()));
}

torch::Tensor rows_of_all(const torch::Tensor& x, const BatchPart& part) {
  if (!part.world) return x;
  const torch::Tensor padded =
      at::constant_pad_nd(x, {0, 0, part.begin, part.whole - part.end}, 0);  // [whole,D]
  return SumOfAll::apply(padded, part.world);
}

}  // namespace diptych
