// How long randomised tests play, and from which seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

namespace sancho::test {

// `SANCHO_ROUNDS`: what a race plays; 1000 unless somebody asks for more or less.
inline int rounds() {
  const char* n = std::getenv("SANCHO_ROUNDS");
  return n ? std::max(1, std::atoi(n)) : 1000;
}

// `SANCHO_SEED`, or another one each time. Print it: it repeats the draws (what
// the scheduler of the machine does is its own).
inline std::uint64_t seed() {
  const char* fixed = std::getenv("SANCHO_SEED");
  return fixed ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
}

}  // namespace sancho::test
