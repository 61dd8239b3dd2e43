// Random numbers that are the same on every machine and with every standard library, and that are
// addressed rather than consumed: Rng(seed, purpose, epoch, row) starts the same stream whatever
// was drawn before, so that a resumed run needs no saved generator state.
// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

namespace diptych {

// What a stream is for; streams of different purposes never coincide.
enum class Stream : std::uint64_t {
  split = 1,
  shuffle,
  augment,
  init,
  dropout,
  bootstrap,
  simulate,
  sample,
  mixup,
  text_noise,
  folds,
  import,
};

class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::initializer_list<std::uint64_t> address = {});
  Rng(std::uint64_t seed, Stream stream, std::uint64_t a = 0, std::uint64_t b = 0)
      : Rng(seed, {static_cast<std::uint64_t>(stream), a, b}) {}

  std::uint64_t next();                      // uniform over 64 bits
  double uniform();                          // [0, 1)
  double uniform(double low, double high);   // [low, high)
  std::uint64_t below(std::uint64_t bound);  // [0, bound), bound > 0, without bias
  double normal();                           // mean 0, variance 1
  bool chance(double p) { return uniform() < p; }

  // Fisher-Yates.
  template <typename T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace diptych
