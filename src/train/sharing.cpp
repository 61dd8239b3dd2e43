#include "train/sharing.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "nn/profile.h"

namespace diptych {

void require_same_run(World& world, const RunIdentity& identity) {
  Digest settings;
  settings.add(identity.config);
  const std::vector<std::string> all = world.of_all(identity.data + settings.hex());
  const std::size_t data = identity.data.size();
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all.front()) continue;
    const bool other_data = all[rank].substr(0, data) != all.front().substr(0, data);
    throw Error(ErrorKind::config,
                fmt::format("process {} of {} has other {} than process 0", rank, all.size(),
                            other_data ? "data" : "settings"),
                "", "give every process the same command and the same data");
  }
}

void require_rows_for_all(const World& world, std::int64_t rows) {
  if (rows >= world.size()) return;
  throw Error(
      ErrorKind::config,
      fmt::format("a batch of {} rows cannot be shared by {} processes", rows, world.size()), "",
      "start fewer processes, or give another --batch-size");
}

std::optional<std::string> checkpoint_of_first(World& world, const std::filesystem::path& path) {
  const bool is_there = world.is_first() && std::filesystem::exists(path);
  if (world.of_first(is_there ? "there" : "").empty()) return {};
  return world.of_first(is_there ? read_file(path) : "");
}

struct GradientSum::Hook : torch::autograd::PostAccumulateGradHook {
  Hook(GradientSum& owner, std::size_t bucket, std::size_t index)
      : sum(owner), of_bucket(bucket), of_parameter(index) {}
  void operator()(const torch::autograd::Variable&) override {
    take(sum.buckets_[of_bucket], of_parameter);
    sum.begin_all_ready();
  }
  GradientSum& sum;
  std::size_t of_bucket, of_parameter;
};

// The backward pass comes to the parameters from the last to the first.
GradientSum::GradientSum(World& world, const TensorList& parameters) : world_(world) {
  if (world.size() == 1) return;
  constexpr std::int64_t kNumbers = 1 << 18;  // of a bucket, or more
  std::vector<torch::Tensor> some;
  std::int64_t numbers = 0;
  for (auto item = parameters.rbegin(); item != parameters.rend(); ++item) {
    some.push_back(item->second);
    numbers += item->second.numel();
    if (numbers < kNumbers && item + 1 != parameters.rend()) continue;
    add_bucket(std::exchange(some, {}));
    numbers = 0;
  }
}

void GradientSum::add_bucket(std::vector<torch::Tensor> parameters) {
  std::int64_t numbers = 0;
  for (const torch::Tensor& parameter : parameters) numbers += parameter.numel();
  Bucket bucket{std::move(parameters), torch::zeros({numbers}), {}, 0, {}};
  bucket.missing = bucket.parameters.size();
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < bucket.parameters.size(); ++i) {
    const torch::Tensor& parameter = bucket.parameters[i];
    const std::int64_t end = begin + parameter.numel();
    bucket.shaped.push_back(bucket.numbers.slice(0, begin, end).view(parameter.sizes()));
    begin = end;
    torch::autograd::impl::set_post_acc_grad_hooks(
        parameter, std::make_unique<Hook>(*this, buckets_.size(), i));
  }
  buckets_.push_back(std::move(bucket));
}

// Its gradient moves to where it is added up; one that there is none of is zero.
void GradientSum::take(Bucket& bucket, std::size_t index) {
  const torch::NoGradGuard no_grad;
  torch::Tensor& gradient = bucket.parameters[index].mutable_grad();
  const torch::Tensor& place = bucket.shaped[index];
  gradient.defined() ? place.copy_(gradient) : place.zero_();
  gradient = place;
  --bucket.missing;
}

// In the order of buckets, in every process the same.
void GradientSum::begin_all_ready() {
  for (; begun_ < buckets_.size() && buckets_[begun_].missing == 0; ++begun_) {
    buckets_[begun_].wait = world_.begin_sum(buckets_[begun_].numbers);
  }
}

void GradientSum::finish() {
  if (buckets_.empty()) return;
  const ProfileScope scope("others");
  for (Bucket& bucket : buckets_) {  // what the loss does not depend on
    for (std::size_t i = 0; i < bucket.parameters.size(); ++i) {
      if (!bucket.parameters[i].grad().defined()) take(bucket, i);
    }
  }
  begin_all_ready();
  for (Bucket& bucket : buckets_) {
    bucket.wait();
    bucket.missing = bucket.parameters.size();
  }
  begun_ = 0;
}

}  // namespace diptych
