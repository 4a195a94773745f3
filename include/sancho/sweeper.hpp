// # Sweeper
//
// Removes what has expired, now and then and a little at a time; once for all
// processes that share a store. Each makes one, and gives it a thread:
//
//     sancho::Sweeper sweeper(sessions);
//     std::jthread housekeeping([&](std::stop_token stop) { sweeper.run(stop); });
//
// or calls `step` from a loop of its own. They agree by a *lease*, a small
// record in the store itself: who holds it sweeps, renews it with each step, and
// keeps it between the rounds. When the holder is gone without a word, the lease
// expires by itself and the next who looks takes it. So the store is asked once
// an interval by each process, and swept by one of them.
//
// What is removed is reported as the event `expired`, once for each session: a
// store tells its handle only to who removed it. (A process that dies between
// the two takes its last few reports with it.)
//
// Nothing depends on sweeping but room: what has expired is gone, swept or not.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "sancho/export.hpp"
#include "sancho/manager.hpp"

namespace sancho SANCHO_EXPORT {

struct SweeperOptions {
  Duration interval = std::chrono::minutes(1);  // from the end of a round to the next
  // Each wait is longer or shorter by a random part of up to this, so that many
  // processes do not meet.
  double jitter = 0.2;

  std::size_t budget = 1000;  // records that one step removes at most
  // Between two steps of a round that has more to do: requests come first.
  Duration pause = std::chrono::milliseconds(50);

  // How long after its last step a holder is taken for dead. At least twice
  // `interval` and twice `store_timeout`; longer than clocks differ.
  Duration lease = std::chrono::minutes(5);
  // By when the store must have answered one step.
  Duration store_timeout = std::chrono::seconds(5);
  // Keeps the leases of unrelated sweepers in one store apart. Those that sweep
  // the same store share it.
  std::string name_space = "sweeper";
};

// What a step has done, and when to call again.
struct SweepStep {
  enum class Did {
    swept,       // one call of the store's `sweep`
    waited,      // it was not time yet
    stood_back,  // somebody else holds the lease
    failed,      // the store was in trouble; it will be tried again
    needless,    // this store sweeps itself: never call again
  };
  Did did = Did::waited;
  std::size_t removed = 0;   // records of any state
  std::size_t sessions = 0;  // of these, live sessions: one event each
  Duration next{};           // call again after this long
  std::string trouble = {};  // failed: what the store said
};

// For one thread at a time. What it is made from must outlive it.
class Sweeper {
 public:
  // Sweeps the manager's store, and reports to the manager's observer, which
  // hears of failures too (`sweep_failed`). Throws `ConfigError` for options
  // that cannot work.
  explicit Sweeper(SessionManagerBase& manager, SweeperOptions options = {});
  // Without a manager. `expired` is told each session's handle.
  Sweeper(SessionStore& store, std::function<void(const Handle&)> expired, SweeperOptions options = {},
          const Clock& clock = system_clock(), RandomSource& random = system_random(),
          const SteadyClock& steady = steady_clock());

  // Does what is due, at most one sweep of `budget` records. Throws nothing that
  // the store throws. One step asks the store three times at most.
  SweepStep step();

  // Steps until told to stop, sleeping in between; then gives the lease back.
  // Returns at once where sweeping is needless.
  void run(std::stop_token stop);

  // Gives the lease back, if it holds one, so that another can go on at once.
  void release();

 private:
  bool hold(Deadline deadline, Time& free_at);
  Record lease_record() const;
  SweepStep sweep(Deadline deadline);
  Duration jittered(Duration wait);

  SessionStore& store_;
  const SweeperOptions options_;
  const Clock& clock_;
  RandomSource& random_;
  const SteadyClock& steady_;
  std::function<void(const Handle&)> expired_;
  std::function<void(const char*)> failed_;
  const SessionKey key_;
  std::uint64_t mine_ = 0;  // the incarnation of a lease that is ours, if any is
  SteadyClock::Moment due_{};
};

}  // namespace sancho
