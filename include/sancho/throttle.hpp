// # Not so often
//
// Counts attempts under a name and says when there were too many: for the
// guessing of passwords, by account and by address. The counts are kept in the
// sessions' store, so they hold for all processes and outlive them.
//
//     sancho::Throttle by_account(store, {.attempts = 5, .window = 15min});
//
//     if (const auto wait = by_account.attempt("account/" + name)) return too_many_requests(*wait);
//     if (!password_matches) return try_again();
//     by_account.forgive("account/" + name);
//
// Ask *before* the password is looked at: then of any number of guesses at
// once, no more than allowed are tried. The store sees digests of names only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/random.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct ThrottleOptions {
  std::uint32_t attempts = 5;                   // that are allowed ...
  Duration window = std::chrono::minutes(15);   // ... from the first of them on
  std::string name_space = "throttle";          // keeps throttles in one store apart
  Duration store_timeout = std::chrono::seconds(5);
};

// Safe to use from any thread if the store is. The store, the clock and the
// random source must outlive it.
class Throttle {
 public:
  // Throws `ConfigError` if nothing would be allowed or the window is empty.
  explicit Throttle(SessionStore& store, ThrottleOptions options = {}, const Clock& clock = system_clock(),
                    RandomSource& random = system_random());

  // Counts an attempt and allows it, or says how long none will be allowed. A
  // refused attempt is not counted: nobody is locked out for longer than the
  // window. Throws `StoreError`; then do not go on. Where the store's answer
  // was lost, the attempt may be counted twice.
  std::optional<Duration> attempt(std::string_view name);

  // Begins anew for this name: after a success. Throws `StoreError`.
  void forgive(std::string_view name);

 private:
  std::optional<Duration> try_once(const SessionKey& key, Deadline deadline, bool& counted);
  Record first_attempt() const;

  SessionStore& store_;
  const ThrottleOptions options_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace sancho
