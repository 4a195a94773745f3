#include "sancho/sweeper.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/caught.hpp"

namespace sancho {

namespace {

SweeperOptions checked(SweeperOptions o) {
  const auto wrong = [](const char* what) { throw ConfigError(std::string("this sweeper cannot work: ") + what); };
  if (o.interval <= Duration::zero()) wrong("interval must be more than zero");
  if (!(o.jitter >= 0 && o.jitter < 1)) wrong("jitter must be at least 0 and less than 1");
  if (o.budget == 0) wrong("budget must be at least one");
  if (o.pause < Duration::zero()) wrong("pause must not be negative");
  if (o.store_timeout <= Duration::zero()) wrong("store_timeout must be more than zero");
  if (o.lease < 2 * o.interval || o.lease < 2 * o.store_timeout)
    wrong("lease must be at least twice interval and twice store_timeout, or it ends while its holder lives");
  return o;
}

}  // namespace

Sweeper::Sweeper(SessionStore& store, std::function<void(const Handle&)> expired, SweeperOptions options,
                 const Clock& clock, RandomSource& random, const SteadyClock& steady)
    : store_(store),
      options_(checked(std::move(options))),
      clock_(clock),
      random_(random),
      steady_(steady),
      expired_(std::move(expired)),
      key_(SessionKey::of_note(options_.name_space, "the sweeper's lease")) {}

Sweeper::Sweeper(SessionManagerBase& manager, SweeperOptions options)
    : Sweeper(
          manager.store(), [&manager](const Handle& handle) { manager.report(EventKind::expired, handle, {}, {}); },
          std::move(options), manager.clock(), manager.options_.random) {
  failed_ = [&manager](const char* what) { manager.report(EventKind::sweep_failed, {}, {}, what); };
}

// ## The lease
//
// A note that ends by itself. Who creates it has it; who has it puts its end off
// by a commit against the version it read, which fails if it has ended and
// another was made meanwhile. The incarnation tells whose it is: it is drawn
// before the note is sent, so a lease whose answer was lost is known again.

Record Sweeper::lease_record() const {
  Record lease;
  lease.state = State::note;
  lease.version = {mine_, 0};
  lease.created = lease.accessed = clock_.now();
  lease.ends = lease.created + options_.lease;
  return lease;
}

// True if the lease is ours, for its whole length from now. If not, it is
// another's until `free_at`.
bool Sweeper::hold(Deadline deadline, Time& free_at) {
  auto lease = store_.load(key_, deadline);
  if (!lease) {
    mine_ = random_.draw_u64();
    const auto answer = store_.create(key_, lease_record(), deadline);
    if (std::holds_alternative<Done>(answer)) return true;
    if (const auto* taken = std::get_if<Taken>(&answer)) free_at = taken->current.ends;
    return false;
  }
  free_at = lease->ends;
  if (lease->version.incarnation != mine_ || mine_ == 0) return false;
  const auto seen = lease->version;
  lease->version = seen.after(random_.draw_u64());
  lease->accessed = clock_.now();
  lease->ends = lease->accessed + options_.lease;
  return std::holds_alternative<Done>(store_.commit(key_, seen, *lease, deadline));
}

void Sweeper::release() {
  if (mine_ == 0) return;
  const auto deadline = Deadline::after(options_.store_timeout);
  try {
    const auto lease = store_.load(key_, deadline);
    if (lease && lease->version.incarnation == mine_) store_.erase(key_, lease->version, deadline);
  } catch (...) {
    // It ends by itself.
    if (failed_) failed_(caught());
  }
  mine_ = 0;
}

// ## A step

SweepStep Sweeper::step() {
  using Did = SweepStep::Did;
  if (store_.traits().sweeps_itself) return {.did = Did::needless, .next = Duration::max()};
  const auto now = steady_.now();
  if (now < due_) return {.did = Did::waited, .next = std::chrono::ceil<Duration>(due_ - now)};

  SweepStep step;
  try {
    const auto deadline = Deadline::after(options_.store_timeout);
    Time free_at{};
    if (hold(deadline, free_at)) {
      step = sweep(deadline);
    } else {
      // Whoever holds it may die: look again when it would end, or earlier.
      const auto left = std::max(free_at - clock_.now(), Duration(1));
      step = {.did = Did::stood_back, .next = jittered(std::min(left, options_.interval))};
    }
  } catch (...) {  // no memory, too: a thread that ends here takes the program along
    step = {.did = Did::failed, .next = jittered(options_.interval), .trouble = caught()};
    if (failed_) failed_(caught());
  }
  due_ = steady_.now() + step.next;
  return step;
}

SweepStep Sweeper::sweep(Deadline deadline) {
  const auto swept = store_.sweep({.budget = options_.budget}, deadline);
  if (expired_)
    for (const auto& handle : swept.handles) try {
        expired_(handle);
      } catch (...) {  // the others are gone too, and to be told
        if (failed_) failed_(caught());
      }
  return {.did = SweepStep::Did::swept,
          .removed = swept.removed,
          .sessions = swept.sessions,
          .next = swept.more ? options_.pause : jittered(options_.interval)};
}

// Longer or shorter by a random part. Without randomness all wait alike.
Duration Sweeper::jittered(Duration wait) {
  double part = 0;
  try {
    part = static_cast<double>(random_.draw_u64() >> 11) * 0x1p-52 - 1;  // from -1 to 1
  } catch (const RandomError&) {
    part = 0;
  }
  return wait + Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * options_.jitter * part));
}

// ## A thread's loop

void Sweeper::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  while (!stop.stop_requested()) {
    const auto done = step();
    if (done.did == SweepStep::Did::needless) return;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, done.next, [] { return false; });
  }
  release();
}

}  // namespace sancho
