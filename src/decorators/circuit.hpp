// # A circuit
//
// Counts what came of calls and decides which pass. Pure but for its lock: it
// asks no store and no clock, and tells nobody; what changed is handed back.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>

#include "sancho/decorators/breaker.hpp"

namespace sancho {

class CircuitSwitch {
 public:
  using Moment = SteadyClock::Moment;

  // A change, with a text of its own.
  struct Change {
    CircuitState state;
    Duration backoff;
    std::uint64_t number;
    std::string why;
  };
  // Leave to call. What comes of the call counts only as long as the circuit has
  // not changed since it was given.
  struct Pass {
    std::uint64_t epoch = 0;
  };
  struct Admission {
    std::optional<Pass> pass;  // nothing: refused
    std::optional<Change> change;
  };

  explicit CircuitSwitch(const BreakerOptions& options);

  // A call that will have ended by `now + takes`.
  Admission admit(Moment now, Duration takes);
  // Is it still as it was when the pass was given?
  bool holds(Pass pass) const;

  std::optional<Change> answered(Pass pass, Moment now);
  std::optional<Change> failed(Pass pass, Moment now);
  // Nothing can be said about the store: it was not asked after all.
  void came_to_nothing(Pass pass, Moment now);

  CircuitState state() const;
  // Zero: a call that comes now would pass.
  Duration retry_after(Moment now) const;

 private:
  struct Tally {
    std::int64_t slice = -1;
    std::size_t answered = 0, failed = 0;
  };
  static constexpr int slices = 10;

  Change change_to(CircuitState state, std::string why);
  Change open(Moment now, std::string why);
  Tally& tally(Moment now);
  Tally within_window(Moment now) const;
  std::int64_t slice_of(Moment now) const;

  const BreakerOptions& options_;
  mutable std::mutex mutex_;
  CircuitState state_ = CircuitState::closed;
  std::uint64_t epoch_ = 1;    // changes with the state, and with each probe
  std::uint64_t changes_ = 0;
  std::array<Tally, slices> tallies_;
  Duration backoff_{};         // the next one, before chance shortens it
  Moment wait_until_{};        // open: a probe may pass then. Half open: another one
};

}  // namespace sancho
