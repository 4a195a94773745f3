// What a request scope holds, for the files that implement it.
#pragma once

#include "protocol/request.hpp"
#include "sancho/manager.hpp"
#include "sancho/pre_session.hpp"

namespace sancho {

// What a manager makes once of its policy.
struct SessionManagerBase::Parts {
  SetCookie cookie;
  SetCookie pre_cookie;
  TrustedProxies proxies;
  std::optional<OriginGuard> guard;
  PreSessions pre_sessions;
  protocol::Rules rules;
};

// By when the store must have answered a step that begins now.
inline Deadline deadline(const SessionManagerBase& manager) { return Deadline::after(manager.policy().store_timeout); }

struct RequestScopeBase::State {
  State(SessionManagerBase& m, Peer p, std::string agent) : manager(m), peer(std::move(p)), user_agent(std::move(agent)) {}

  SessionManagerBase& manager;
  Peer peer;
  std::string user_agent;

  protocol::Seat seat;
  // The record the session was made from, once the seat has a newer one.
  std::optional<Record> loaded;
  std::unique_ptr<SimpleSession> session;

  std::optional<CsrfSecret> pre_session;    // the visitor's, if the cookie was good
  std::optional<std::string> pre_issued;    // a new one, to be sent
  std::optional<CsrfSecret> new_secret;     // of the session that a login makes

  bool maintained = false;  // saved, or given up
  bool closed = false;
  bool failed = false;  // `finish` threw
  bool delete_cookie = false;
  bool clear_site_data = false;
  HeaderLines lines;

  // The policy's, and the length of this session class's token queue.
  protocol::Rules rules() const;
  protocol::Env env(RandomSource& random, Time now, const protocol::Rules& rules) const {
    return {manager.policy().name_space, rules, random, now};
  }
};

}  // namespace sancho
