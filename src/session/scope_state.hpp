// What a request scope holds, for the files that implement it.
#pragma once

#include <array>
#include <atomic>
#include <exception>
#include <thread>

#include "protocol/request.hpp"
#include "sancho/manager_base.hpp"
#include "sancho/pre_session.hpp"
#include "session/id_lines.hpp"

namespace sancho {

// What a manager makes once of its policy.
struct ManagerBase::Parts {
  SetCookie cookie;
  SetCookie pre_cookie;
  TrustedProxies proxies;
  std::optional<OriginGuard> guard;
  PreSessions pre_sessions;
  protocol::Rules rules;
};

// Nothing of the request itself is kept: its buffers may be gone as soon as
// whoever serves it waits.
struct ScopeBase::Arrival {
  Arrival(const ManagerBase& manager, const Request& request);
  Arrival(const ManagerBase& manager, const Request& request, const Presented& brought);

  std::string_view user_agent() const { return {user_agent_.data(), user_agent_size_}; }

  Peer peer{};
  bool safe;                    // it asks for nothing to be changed
  bool from_elsewhere = false;  // its cookie would go over the network without TLS
  std::optional<CsrfSecret> pre_session;  // the visitor's, if the cookie was good
  std::optional<SessionId> id;
  SessionKey key;                    // of it
  const char* id_refused = nullptr;  // why there is no id, though something was there

 private:
  // As much of it as is ever kept.
  std::array<char, 200> user_agent_;
  std::size_t user_agent_size_;
};

// Strings that have been used before. Spare, they are empty.
//
// `leave`: what `text` has for room, if it is more than there is.
struct ScopeBase::Room {
  Record record;
  std::string user, subject;

  // What is larger than this is not worth keeping for whoever comes next.
  static constexpr std::size_t most = 16 * 1024;
  static void leave(std::string& room, std::string& text) noexcept;
};

struct ScopeBase::State {
  State(ManagerBase& m, const Request& request, Room& r) : manager(m), room(r), arrival(m, request), pre_session(arrival.pre_session) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ManagerBase& manager;
  Room& room;
  Arrival arrival;

  protocol::Seat seat;
  // The seat is where the request's own id led at once, and nothing has moved it.
  bool straight = false;
  // The record the session was made from, once the seat has a newer one.
  std::optional<Record> loaded;
  // What is in that record.
  std::optional<protocol::PayloadView> payload;
  std::unique_ptr<SimpleSession> session;

  std::optional<CsrfSecret> pre_session;    // the visitor's: brought along, or new
  std::optional<std::string> pre_issued;    // a new one, to be sent
  std::optional<CsrfSecret> new_secret;     // of the session that a login makes

  // The epochs at `begin_login`, and of whom.
  struct LoginBegun {
    std::string subject;
    EpochsSeen seen;
  };
  std::optional<LoginBegun> login_begun;
  LoginOutcome login = LoginOutcome::none;
  // Once it is maintained: here, or where the seat is.
  std::optional<protocol::Hand> ended_in;
  bool ended_in_seat = false;
  // The thread that is inside a function of the session; of none, where nothing
  // is checked.
  std::atomic<std::thread::id> user;
  bool blind = false;           // the session could not be read, and the page is served without
  bool write_failed = false;    // the store did not take a write of this request

  bool maintained = false;  // saved, or given up
  bool closed = false;
  bool failed = false;  // `finish` threw
  const int exceptions = std::uncaught_exceptions();  // that were on their way when it began
  bool delete_cookie = false;
  bool clear_site_data = false;
  HeaderLines lines;
  void add_line(HeaderLine line);

  // The policy's, and the length of this session class's token queue.
  protocol::Rules rules() const;
  protocol::Env env(const protocol::Rules& rules) const;
};

}  // namespace sancho
