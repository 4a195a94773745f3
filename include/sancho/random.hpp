// # Chance
//
// Ids, handles, form tokens and attempt ids come from here and from nowhere
// else. It is a parameter, so that a test can make it repeat, run dry or fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// The operating system gave no randomness. Nothing is issued then: a session
// library that guesses is worse than one that fails (ASVS 11.2.5).
class RandomError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A source of unpredictable bytes. Implementations are safe to call from any
// thread, and after a fork give the child other bytes than the parent.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Fills all of `out`, or throws `RandomError` and the bytes mean nothing.
  virtual void fill(std::span<std::byte> out) = 0;

  // Eight bytes as a number: incarnations and attempt ids.
  std::uint64_t draw_u64();
};

// `getrandom(2)`: the kernel's generator, ready once the machine has booted. Each
// thread draws a kilobyte ahead, into memory that the kernel wipes in the child of
// a fork; where it cannot, nothing is kept. Lives for the whole program.
RandomSource& system_random();

}  // namespace sancho
