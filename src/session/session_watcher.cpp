#include "sancho/session_watcher.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/caught.hpp"

namespace sancho {

struct WatchedSession::Entry {
  Entry(SessionManagerBase& manager, SessionTicket ticket, const WatchOptions& options, SessionWatcher::Ended f)
      : watch(manager, std::move(ticket), options), tell(std::move(f)) {}

  SessionWatch watch;
  SessionWatcher::Ended tell;
  // Held while it is told; it may be destroyed by that.
  std::recursive_mutex telling;
  std::atomic<bool> left = false;  // nobody is interested any more
};

// ## A connection

WatchedSession& WatchedSession::operator=(WatchedSession&& other) noexcept {
  if (this != &other) {
    const WatchedSession before(std::move(*this));
    entry_ = std::move(other.entry_);
  }
  return *this;
}

WatchedSession::~WatchedSession() {
  if (!entry_) return;
  const std::lock_guard lock(entry_->telling);
  entry_->left = true;
}

std::optional<SessionEnd> WatchedSession::ended() const { return entry_ ? entry_->watch.ended() : std::nullopt; }

void WatchedSession::used() {
  if (entry_) entry_->watch.used();
}

// ## All of them

struct SessionWatcher::Inside {
  using Entry = std::shared_ptr<WatchedSession::Entry>;
  using Clockwork = std::chrono::steady_clock;

  Inside(SessionManagerBase& m, const WatchOptions& o) : manager(m), options(o) {}

  using Queue = std::multimap<Clockwork::time_point, Entry>;
  // An entry that was taken out of it. To put it back needs no memory, and so
  // cannot fail.
  using Taken = Queue::node_type;

  void add(Entry entry) {
    Queue alone;
    alone.emplace(Clockwork::time_point(), std::move(entry));
    put_back(alone.extract(alone.begin()));
  }

  void put_back(Taken taken) noexcept {
    taken.key() = Clockwork::now() + taken.mapped()->watch.pause();
    const std::lock_guard lock(mutex);
    const bool first = due_.empty() || taken.key() < due_.begin()->first;
    due_.insert(std::move(taken));
    if (first) changed.notify_one();
  }

  void run(std::stop_token stop) {
    while (auto taken = next(stop)) {
      auto& entry = *taken.mapped();
      if (entry.left) continue;
      if (const auto end = look(entry.watch, taken.key()))
        tell(entry, *end);
      else if (!stop.stop_requested())
        put_back(std::move(taken));
    }
  }

  // Each look at a store that is frozen takes `store_timeout`, so those behind it
  // would learn of the outage long after its limit. Who was due already when the
  // store last failed has no answer to expect of it either, and is not asked for
  // if its time is over.
  std::optional<SessionEnd> look(SessionWatch& watch, Clockwork::time_point due) {
    if (due <= failed_at.load()) watch.give_up_in_time();
    if (const auto end = watch.ended()) return end;
    const auto end = watch.look();
    failed_at = watch.silent_ ? Clockwork::now() : Clockwork::time_point::min();
    return end;
  }

  // The next that is due, when it is; none: that was all.
  Taken next(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (due_.empty()) {
        changed.wait(lock, stop, [&] { return !due_.empty(); });
      } else if (const auto due = due_.begin()->first; due > Clockwork::now()) {
        changed.wait_until(lock, stop, due, [&] { return due_.empty() || due_.begin()->first < due; });
      } else {
        auto taken = due_.extract(due_.begin());
        // This look may take long, and nobody else may be waiting for the next.
        if (!due_.empty()) changed.notify_one();
        return taken;
      }
    }
    return {};
  }

  void tell(WatchedSession::Entry& entry, SessionEnd end) const {
    const std::lock_guard lock(entry.telling);
    if (entry.left) return;
    try {
      entry.tell(end);
    } catch (...) {
      report(entry, caught());
    }
  }
  void report(const WatchedSession::Entry& entry, const char* what) const {
    const auto& ticket = entry.watch.ticket();
    SessionWatcher::report(manager, ticket, what);
  }

  SessionManagerBase& manager;
  const WatchOptions options;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  // When the store last failed; the beginning of time: it has answered since.
  std::atomic<Clockwork::time_point> failed_at = Clockwork::time_point::min();
  Queue due_;
  std::vector<std::jthread> threads;
};

void SessionWatcher::report(const SessionManagerBase& manager, const SessionTicket& ticket, const char* what) {
  manager.report(EventKind::observer_failed, ticket.handle(), ticket.subject(), what);
}

SessionWatcher::SessionWatcher(SessionManagerBase& manager, WatchOptions options, std::size_t threads)
    : inside_(std::make_unique<Inside>(manager, options)) {
  if (options.interval <= Duration::zero()) throw ConfigError("a watch needs an interval between its looks");
  if (threads == 0) throw ConfigError("a watcher needs a thread");
  for (std::size_t i = 0; i < threads; ++i)
    inside_->threads.emplace_back([this](std::stop_token stop) { inside_->run(stop); });
}

SessionWatcher::~SessionWatcher() {
  for (auto& thread : inside_->threads) thread.request_stop();
}

WatchedSession SessionWatcher::watch(SessionTicket ticket, Ended ended) {
  auto entry =
      std::make_shared<WatchedSession::Entry>(inside_->manager, std::move(ticket), inside_->options, std::move(ended));
  inside_->add(entry);
  return WatchedSession(std::move(entry));
}

}  // namespace sancho
