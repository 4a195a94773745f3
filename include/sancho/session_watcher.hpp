// # Watching many sessions
//
// For connections that have callbacks and no thread of their own: threads that
// look after all of them, and tell each once when its session has ended.
//
//     sancho::SessionWatcher watcher(manager);
//
//     connection->watched = watcher.watch(ticket, [weak = connection->weak_from_this()](sancho::SessionEnd end) {
//       if (auto connection = weak.lock()) connection->close(1008, to_string(end));
//     });
//
// Each session is looked at as a `SessionWatch` does (session_watch.hpp, which
// says what it costs). A thread asks for one at a time, so how many connections
// it can look after is how many loads it gets done in an interval; where they are
// more, or the store is slow, connections are told later. Then take more threads.
// While a store does not answer, each look takes `Policy::store_timeout`; whoever
// waits behind one is told after `WatchOptions::outage_limit` without being asked
// for; where looks had kept up with the interval, that is at most one and that
// time later, however many there are.
#pragma once

#include <functional>
#include <memory>

#include "sancho/export.hpp"
#include "sancho/session_watch.hpp"

namespace sancho SANCHO_EXPORT {

// A connection that is watched, until this goes away. It may outlive the watcher,
// and then watches nothing.
class WatchedSession {
 public:
  WatchedSession() = default;
  WatchedSession(WatchedSession&&) noexcept = default;
  WatchedSession& operator=(WatchedSession&& other) noexcept;
  // When it returns, the callback has either returned, or will never be called;
  // but for the callback's own thread, which may destroy it from within.
  ~WatchedSession();

  // As `SessionWatch`. Any thread. Nothing, and without effect, for an empty one.
  std::optional<SessionEnd> ended() const;
  void used();

 private:
  friend class SessionWatcher;
  struct Entry;
  explicit WatchedSession(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
  std::shared_ptr<Entry> entry_;
};

class SessionWatcher {
 public:
  // Starts its threads, one at least. The manager must outlive it. Throws
  // `ConfigError` for options that cannot work.
  explicit SessionWatcher(SessionManagerBase& manager, WatchOptions options = {}, std::size_t threads = 1);
  // No callback is called afterwards. Waits for the looks that are under way, for
  // `Policy::store_timeout` at most; call it from no callback.
  ~SessionWatcher();
  SessionWatcher(const SessionWatcher&) = delete;
  SessionWatcher& operator=(const SessionWatcher&) = delete;

  // Called on a thread of the watcher, which looks after nobody else meanwhile:
  // hand the closing over to whoever owns the connection. What it throws is
  // caught, and reported as the event `observer_failed`.
  using Ended = std::function<void(SessionEnd)>;
  [[nodiscard]] WatchedSession watch(SessionTicket ticket, Ended ended);

 private:
  static void report(const SessionManagerBase& manager, const SessionTicket& ticket, const char* what);
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace sancho
