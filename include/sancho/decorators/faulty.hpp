// # Faulty
//
// A store that fails when it is told to: for tests, yours too. What an
// application does when its store is down is seldom tried; with this it is a
// loop over n:
//
//     for (std::uint64_t n = 1; ; ++n) {
//       auto store = sancho::with_faults(sancho::open_memory_store(clock));
//       store->plan({.what = sancho::Fault::What::fail_before, .at = n});
//       ... one request ...
//       if (store->injected() == 0) break;   // it makes fewer than n calls
//       ... what must hold nevertheless ...
//     }
//
// Safe to use from any thread; with several at once, which call is the n-th is
// a matter of chance.
#pragma once

#include <functional>
#include <optional>

#include "sancho/decorators/decorated.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

struct Fault {
  enum class What : std::uint8_t {
    fail_before,     // nothing is done, and the error says so
    drop_answer,     // it is done, and nobody hears of it: `maybe_done`
    delay,           // `FaultyOptions::delay` is called, then it is done
    corrupt_answer,  // it is done, and records in the answer come with one bit of the payload flipped
  };
  What what = What::fail_before;

  // Which calls: those of this verb, or of any.
  std::optional<StoreVerb> verb = {};
  // Of them the `at`-th since the plan was made (the first is 1) and the next
  // `times - 1`; 0: all from the beginning.
  std::uint64_t at = 0;
  std::uint64_t times = 1;
  // Or each of them with this probability.
  std::optional<double> probability = {};

  // The error's kind, for `fail_before`.
  Trouble kind = Trouble::unavailable;
};

struct FaultyOptions {
  // The draws of `probability` follow from it and from the call's number: the
  // same seed gives the same faults.
  std::uint64_t seed = 1;
  // What a delay is. It does not wait by itself: this may block, or move a clock.
  std::function<void(StoreVerb, Deadline)> delay = {};
};

class Faulty : public SessionStore {
 public:
  // Adds a fault; the calls it counts begin now. The first that fits a call is
  // carried out.
  virtual void plan(const Fault& fault) = 0;
  // Forgets all faults, and sets all counts to zero.
  virtual void heal() = 0;

  // Since it was made or healed: the calls, those of one verb, and the faults
  // that were carried out.
  virtual std::uint64_t calls() const = 0;
  virtual std::uint64_t calls(StoreVerb verb) const = 0;
  virtual std::uint64_t injected() const = 0;
};

std::unique_ptr<Faulty> with_faults(std::shared_ptr<SessionStore> store, FaultyOptions options = {});

}  // namespace sancho
