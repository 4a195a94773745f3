// # What happened
//
// The library keeps no log, and prints nothing but, in debug builds, which rule
// was broken (misuse.hpp). What an operator wants to know comes through one
// interface, in terms that are safe to log: handles, never ids, keys or tokens.
#pragma once

#include <string_view>

#include "sancho/export.hpp"
#include "sancho/id.hpp"
#include "sancho/time.hpp"

namespace sancho SANCHO_EXPORT {

enum class EventKind {
  created,            // a session was made
  login,              // it has another user now, under a new id
  reauthenticated,    // the same user proved themselves again: a new id
  rotated,            // a new id was due
  logout,             // ended by its own request
  revoked,            // ended by handle, or with "all others"
  expired,            // swept, or removed for not having been accessed for long
  emptied,            // ended because it held nothing any more
  merged,             // another request had written in between; both are kept
  dropped,            // the session had ended under a request: its writes were not kept
  login_lost,         // of two logins at once, or a login and a logout, the other won
  login_refused,      // its user has as many sessions as `Policy::cap` allows
  cookie_refused,     // malformed, oversized or more than one: no session
  header_refused,     // likewise, where a header carries the id (Policy::transport)
  unknown_id,         // well-formed, but it opens nothing: expired, erased or guessed
  replayed_id,        // an id came back after its rotation's grace
  address_mismatch,   // another address than the session's, where the policy checks it
  token_consumed,     // a form token, by this request
  token_refused,      // a form token that was not there (any more)
  request_refused,    // the origin guard said no, or it brought no JSON where JSON is asked for
  record_corrupt,     // a record is not what was written; it stays, there is no session
  slot_quarantined,   // a slot does not decode as its type; it stays as it is
  store_unavailable,  // the store failed a call that mattered
  touch_failed,       // ... or one that did not
  served_read_only,   // its upkeep was left out, because the store takes no writes (Policy::outage)
  served_anonymous,   // its session could not be read, and it was served as a visitor's (likewise)
  sweep_failed,       // a sweeper will try again
  unfinished,         // a request's scope went away with neither finish nor abort
  observer_failed,    // an observer threw
};

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(EventKind kind);

// Views live for the call only.
struct Event {
  EventKind kind;
  Time at;
  Handle handle;             // empty where there is no session
  std::string_view subject;  // likewise
  std::string_view detail;   // for humans
};

// Derive from this to hear of events. Called on the request's own thread, from
// several at once. It must not call back into the manager. What it throws is
// caught, reported to it once as `observer_failed`, and changes nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
};

}  // namespace sancho
