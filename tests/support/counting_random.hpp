// Chance that counts: the bytes 0, 1, 2, … for known answers, or none at all.
#pragma once

#include "sancho/random.hpp"

namespace sancho::test {

class CountingRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    for (auto& b : out) b = static_cast<std::byte>(next_++);
  }

 private:
  unsigned char next_ = 0;
};

class FailingRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte>) override { throw RandomError("no randomness, says the test"); }
};

}  // namespace sancho::test
