// # Breaker
//
// Keeps an engine that is down or slow from taking the application with it. Put
// it around any store:
//
//     auto store = sancho::with_breaker(sancho::open_store("postgresql://db/shop"));
//     sancho::SessionManager<ShopSession> sessions(std::move(store), policy);
//
// Four things, each on every call:
//
//   - No call gets more time than `call_timeout`, nor more than its own deadline.
//   - No more than `max_calls` are in the store at once. `max_waiting` others
//     wait for their turn, in order and until their deadline; what comes on top
//     fails at once.
//   - Where the store does not answer again and again, its *circuit* opens:
//     calls fail at once, without asking it, for a backoff that doubles each
//     time.
//   - After the backoff one call passes as a probe. If it is answered the circuit
//     closes; if not, it stays open for the next backoff.
//
// Reads and writes have circuits of their own, so that an engine that still
// answers reads still serves them (see `Policy::outage`). Only trouble of kind
// *unavailable* and *in_doubt* counts: a conflict, a full disk, a corrupt record
// and a refusal are answers.
//
// What the breaker refuses is a `StoreError` of kind *unavailable* that has not
// been done (`maybe_done` is false). It is safe to use from any thread, and in
// the child of a fork if the store inside is: there it begins anew.
#pragma once

#include <functional>

#include "sancho/decorators/decorated.hpp"
#include "sancho/export.hpp"
#include "sancho/random.hpp"

namespace sancho SANCHO_EXPORT {

enum class Circuit : std::uint8_t { reads, writes };
enum class CircuitState : std::uint8_t { closed, open, half_open };

// The words for them. They live for the whole program.
std::string_view to_string(Circuit circuit);
std::string_view to_string(CircuitState state);

// A circuit has come into another state. Views live for the call only.
struct BreakerChange {
  Circuit circuit;
  CircuitState state;       // the one it is in now
  SteadyClock::Moment at;
  Duration backoff;         // open: until a probe may pass
  std::uint64_t number;     // counts the changes of this circuit, from 1
  std::string_view why;     // for humans; names no key, id or password
};

struct BreakerOptions {
  Duration call_timeout = std::chrono::seconds(2);
  // Instead, for what goes over the whole store: `walk` and `count`.
  Duration walk_timeout = std::chrono::minutes(1);

  // At once. `walk` neither waits nor counts: who walks may call the store.
  std::size_t max_calls = 64;
  std::size_t max_waiting = 256;

  // A circuit opens when, of the calls that ended within `window`, `failures`
  // were not answered, and these are at least the part `ratio` of all.
  Duration window = std::chrono::seconds(10);
  std::size_t failures = 5;
  double ratio = 0.5;

  // How long it is open: this long at first, twice as long after each probe
  // that failed. Each time a random part between half and all of it, so that
  // many processes do not come back at once.
  Duration backoff = std::chrono::seconds(1);
  Duration max_backoff = std::chrono::seconds(30);

  // Told of each change, on the thread whose call made it and outside of all
  // locks; two changes at once may be told in the other order, see `number`.
  // What it throws is dropped.
  std::function<void(const BreakerChange&)> on_change = {};

  // Both must outlive the breaker.
  const SteadyClock& clock = steady_clock();
  RandomSource& random = system_random();
};

// The store inside, with a breaker around. Its `health()` says what its circuits
// would let pass.
class Breaker : public SessionStore {
 public:
  virtual CircuitState state(Circuit circuit) const = 0;
  // Until a probe may pass; zero where calls do.
  virtual Duration retry_after(Circuit circuit) const = 0;
};

// Throws `ConfigError` for options that cannot work, or without a store.
std::unique_ptr<Breaker> with_breaker(std::shared_ptr<SessionStore> store, BreakerOptions options = {});

}  // namespace sancho
