// # Does the session last?
//
// A connection that stays (a WebSocket, a stream of events) outlives the request
// that opened it, and must not outlive its session: who was logged out must not
// go on listening. A watch asks the store now and then whether the session is
// still there, wherever the renewals of its id have led it:
//
//     sancho::SessionWatch watch(manager, ticket);
//     while (!watch.look()) wait_for(watch.pause());
//     close(to_string(*watch.ended()));
//
// What ends it: a logout, by itself or from elsewhere; the end of all sessions of
// its user; another user; its limits, idle and absolute; whatever process did it.
// A renewed id does not, nor does a reauthentication.
//
// The ticket comes from the connection's handshake (handshake.hpp). Whoever has a
// thread to spare for all connections takes a `SessionWatcher`
// (session_watcher.hpp); coroutines have async/session_watch.hpp.
//
// ## What it costs
//
// One `load` a look, for each connection. With the default options that is 1.6 a
// second.
//
// ## Idle time
//
// Looking is no access: a session whose connection is silent idles out, and the
// connection is closed. If the application says `used`, the next look writes the
// access down, once per `Policy::access_time_resolution`, as a request would; if
// that fails, the look after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/session_ticket.hpp"

namespace sancho SANCHO_EXPORT {

struct WatchOptions {
  // The longest time between two looks. Each pause is drawn from the last third
  // below it, so that connections that were opened together do not look together.
  // With the default a connection knows within a second, and the store has some
  // of it left to answer.
  Duration interval = std::chrono::milliseconds(750);
  // How long a connection stays while its store does not answer; nothing: for as
  // long as that lasts. The session may have been ended meanwhile.
  std::optional<Duration> outage_limit = std::chrono::seconds(30);
  // What `outage_limit` is measured with.
  const SteadyClock& steady = steady_clock();
};

// What a watch is, however its store is asked.
class SessionWatchBase {
 public:
  SessionWatchBase(const SessionWatchBase&) = delete;
  SessionWatchBase& operator=(const SessionWatchBase&) = delete;

  const SessionTicket& ticket() const { return ticket_; }
  // What ended the session, as far as is known. Any thread.
  std::optional<SessionEnd> ended() const;
  // The connection was used, and that counts as an access of the session. Any
  // thread; asks nobody.
  void used() { ++used_; }
  // How long to wait before the next look: before the first one any part of the
  // interval, so that what was opened together is spread. All of it where there is
  // no randomness.
  Duration pause() noexcept;

 protected:
  // Throws `ConfigError` for an interval that is none.
  SessionWatchBase(ManagerBase& manager, SessionTicket ticket, WatchOptions options);
  ~SessionWatchBase();

  using Looking = ManagerBase::Looking;
  // Neither throws what the store throws.
  void settle(const Looking& looking);
  void failed(const char* what);
  // Ends it if its store has not answered for `outage_limit`.
  void give_up_in_time();

  ManagerBase& manager_;
  SessionTicket ticket_;

 private:
  friend class ManagerBase::Looking;
  friend class SessionWatcher;
  const WatchOptions options_;
  SteadyClock::Moment answered_;
  bool silent_ = false;  // the store has not answered last time
  bool first_ = true;
  // How often it was used, and how often it had been when that was last noted.
  std::atomic<std::uint64_t> used_ = 0;
  std::uint64_t noted_ = 0;
  static constexpr std::uint8_t lasts = 0xff;
  std::atomic<std::uint8_t> end_ = lasts;
};

// For one thread at a time. The manager must outlive it.
class SessionWatch : public SessionWatchBase {
 public:
  SessionWatch(SessionManagerBase& manager, SessionTicket ticket, WatchOptions options = {});

  // Asks the store, within `Policy::store_timeout`: what ended the session, or
  // nothing. Once it has ended, it has. Throws nothing, whatever the store
  // throws: where that does not answer, or there is no memory to ask it with, the
  // session is taken to last, until `outage_limit`.
  std::optional<SessionEnd> look();

 private:
  SessionStore& store_;
};

}  // namespace sancho
