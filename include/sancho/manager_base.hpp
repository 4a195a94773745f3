// # What all managers have in common
//
// A request decides the same however its store is asked. This is the part of
// managers and of their scopes that asks nobody. The rest is in `manager.hpp`,
// where whoever asks the store waits for it, and in `async/manager.hpp`, where
// coroutines do.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sancho/csrf.hpp"
#include "sancho/event.hpp"
#include "sancho/export.hpp"
#include "sancho/http.hpp"
#include "sancho/misuse.hpp"
#include "sancho/policy.hpp"
#include "sancho/session.hpp"
#include "sancho/session_ticket.hpp"
#include "sancho/store.hpp"

namespace sancho::protocol {
struct Env;
struct Hand;
struct Intent;
struct Rules;
class Finish;
enum class EndReason : std::uint8_t;
}  // namespace sancho::protocol

namespace sancho SANCHO_EXPORT {

// What a manager is made with besides its policy. All must outlive it.
struct ManagerOptions {
  const Clock& clock = system_clock();
  RandomSource& random = system_random();
  Observer* observer = nullptr;
};

// One of a user's sessions, for the page "where am I logged in".
struct SessionInfo {
  Handle handle;
  Time created, accessed;
  std::string remote_address, user_agent;
  bool current = false;  // the one that asks
};

// How a request's login came out.
enum class LoginOutcome {
  none,    // nobody logged in, or the request is not maintained yet
  won,     // the new session is open
  lost,    // another identity, a logout, or the end of all of the user's sessions came first
  at_cap,  // the user has as many sessions as `Policy::cap` allows
};

class ManagerBase;

// One request's hold on its session.
class ScopeBase {
 public:
  ScopeBase(const ScopeBase&) = delete;
  ScopeBase& operator=(const ScopeBase&) = delete;

  // Saves nothing. The header lines are those of what acted at once (a logout's
  // cookie); also after a `finish` that threw. Throws nothing.
  HeaderLines abort() noexcept;

  // Makes the browser forget the cookie, with the end of the request, also where
  // that fails; the session itself stays.
  void revoke_session_cookie();

  // Did the user log in or reauthenticate at most this long ago?
  bool is_fresh(std::optional<Duration> max_age = {}) const;

  // How the login of this request came out: known once it has finished, or once
  // the handler has called `maintain_session` of its manager, to answer with
  // another page where it was refused.
  LoginOutcome login_outcome() const;

  // The session that the request ended in, for connections that outlive it: known
  // when the login's outcome is. Nothing: there is no session, or none that is
  // stored.
  std::optional<SessionTicket> ticket() const;

  // ## While the store is out of order (`Policy::outage`)

  // Was the session read? If not, this is a page without its session: the
  // visitor may well have one, and be logged in.
  bool can_read() const;
  // False if it is known that nothing can be saved: by what happened in this
  // request, or by the store's `health`. True is no promise.
  bool can_write() const;
  // Either of the two, or both: there is something to tell the visitor.
  bool outage() const { return !can_read() || !can_write(); }

  // The client's address, from the peer or from a trusted proxy.
  const std::string& remote_address() const;
  bool https() const;

 protected:
  // A request as it came, in memory of our own.
  struct Arrival;
  struct State;

  ScopeBase(ManagerBase& manager, const Request& request);
  virtual ~ScopeBase();
  void adopt(std::unique_ptr<SimpleSession> session);
  SimpleSession& session() const;
  SessionContext context() const;

  // ## What is asked of the store, as tasks (src/task.hpp)
  class Task;
  class Entering;
  class Consuming;
  class GivingBack;
  class LoggingOut;
  class Saving;
  class Announcing;
  class Listing;

  // `finish` is these and, in between, a `Saving`.
  void must_not_be_over() const;
  void give_up();
  HeaderLines leave();
  bool is_over() const;
  // Does it go away because of an exception that was thrown during the request?
  bool is_thrown_away() const;
  // Its end; where that was forgotten, the event `unfinished` says so.
  void go_away(bool forgotten);

  // The user this request acts for, or nobody; and that user's session that it
  // is served from, if it is one.
  std::string acting_for() const;
  std::optional<Handle> own_handle() const;
  // The epochs that a login of this request has seen, if it was announced for
  // this user.
  EpochsSeen* announced(std::string_view subject);

 private:
  friend class ManagerBase;
  friend class SimpleSession;
  friend class Session;
  friend class FormClaim;
  friend class SlotBase;

  virtual std::optional<FormClaim> consume(std::string_view token) = 0;
  virtual bool give_back(const FormClaim& claim) = 0;
  friend class SessionUse;
  // Called where misuse is checked: what rule the caller would break who uses
  // the session now.
  virtual std::optional<Misuse> out_of_turn() const = 0;
  // Notes that this thread is inside the session; false if it was already.
  bool begin_use() const;
  void end_use() const noexcept;

  // The secret for this page's forms; with `make`, there is one afterwards.
  std::optional<CsrfSecret> csrf_secret(bool make);
  bool csrf_matches(std::string_view token, std::string_view form);
  void report(EventKind kind, std::string_view detail = {}) const;
  void close();
  // In a page without its session, throws *unavailable*.
  void must_have_read(const char* what) const;
  // Notes that the store did not take a write, for `can_write`.
  void note_trouble(const StoreError& error);
  // Is it nothing but what can wait for the next request? Then, during an
  // outage, leaves it out.
  bool is_upkeep(const protocol::Intent& intent) const;
  void spare_upkeep(protocol::Intent& intent) const;

  void move_to(protocol::Hand&& where);
  void logged_out();
  void put_intent(protocol::Intent& intent, Time now);  // into one that is as it was made
  void prepare_heir(protocol::Intent& intent, Time now);
  void conclude(protocol::Finish& done, std::optional<protocol::EndReason> reason, std::optional<Handle> before);
  // Is there nothing to save, to raise, to renew, or to tell?
  bool is_idle();

  // What it is made in: memory, and strings with room in them, that one request
  // leaves to the next on its thread.
  struct Room;
  struct Leave {
    void operator()(State* state) const noexcept;
  };
  std::unique_ptr<State, Leave> state_;
};

// What does not depend on the session class, nor on how the store is asked.
class ManagerBase {
 public:
  ManagerBase(const ManagerBase&) = delete;
  ManagerBase& operator=(const ManagerBase&) = delete;

  // Whether the request may change something, as far as its origin tells
  // (`Policy::origins`).
  bool origin_allowed(const Request& request);
  // Likewise, as far as its content type tells (`Policy::json_only`).
  bool content_allowed(const Request& request);
  // What the adapters ask before the handler runs: 0, or the status of the
  // answer in its place, 403 for the origin and 415 for the content type.
  int refusal(const Request& request);
  // The same for a request that opens a connection on which more will be done than
  // its method says: a WebSocket's handshake is a GET, and any page may ask for
  // one. Is it allowed, as far as its origin tells? Throws `UsageError` where the
  // policy has no `origins` to tell by, and ids travel in cookies.
  // `OriginOptions::log_only` lets none pass that it would block.
  bool handshake_allowed(const Request& request);

  const Policy& policy() const { return policy_; }
  const Clock& clock() const { return options_.clock; }

 protected:
  // Throws `ConfigError` if the policy cannot work.
  ManagerBase(Policy policy, ManagerOptions options);
  virtual ~ManagerBase();

  // ## What is asked of the store, as tasks (src/task.hpp)
  class Knocking;
  class Ending;
  class EndingOne;
  class Looking;

  // A new epoch for a subject, and how long it must be remembered.
  struct Epoch {
    std::uint64_t number;
    Time until;
  };
  Epoch draw_epoch();
  // Throws `StoreError` of kind *refused* where the store cannot.
  void must_find_by_subject() const;
  // By when the store must have answered a step that begins now: never before its
  // timeout is over, and at most a hundredth of a second after.
  Deadline deadline() const;
  void report_expired(std::span<const Handle> handles, std::string_view detail = {}) const;
  void report(EventKind kind, const Handle& handle, std::string_view subject, std::string_view detail) const;

 private:
  friend class ScopeBase;
  friend class SessionWatchBase;
  friend class SessionWatcher;
  friend class Sweeper;
  struct Parts;
  OriginVerdict judge_origin(const Request& request);
  std::uint64_t draw() const { return options_.random.draw_u64(); }

  // What is known of the store without asking it.
  virtual std::string store_name() const = 0;
  virtual Routing* routing() const = 0;
  virtual const Health* health() const = 0;
  virtual bool has_subjects() const = 0;
  virtual bool has_epochs() const = 0;

  protocol::Env env(const protocol::Rules& rules) const;

  Policy policy_;
  ManagerOptions options_;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace sancho
