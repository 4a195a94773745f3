// A store, keys and records for tests of decorators.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sancho/stores/memory.hpp"

namespace sancho::test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(1min); }
inline SessionKey key_of(std::string_view name) { return SessionKey::of_note("decorators", name); }

inline Record record_of(std::string payload = "payload", std::uint64_t counter = 1) {
  const auto now = system_clock().now();
  return {.version = {7, counter},
          .state = State::live,
          .created = now,
          .accessed = now,
          .idle = 1h,
          .ends = now + 1h,
          .payload = std::move(payload)};
}

// The kind of trouble that it throws, or nothing; `maybe_done` in its place.
template <class What>
std::optional<Trouble> trouble(What what, bool* maybe_done = nullptr) {
  try {
    what();
    return std::nullopt;
  } catch (const StoreError& e) {
    if (maybe_done) *maybe_done = e.maybe_done();
    return e.kind();
  }
}

}  // namespace sancho::test
