// # SessionManager
//
// Makes sessions from requests and saves them. One manager serves a whole
// application, from any number of threads:
//
//     sancho::SessionManager<ShopSession> sessions(sancho::open_store("sqlite:shop.db"), policy);
//
//     auto scope = sessions.start_request(request);
//     scope->set_user("ada");
//     for (auto& [name, value] : scope.finish()) response.set(name, value);
//
// An adapter does this for you. What a handler must know: nothing is saved
// before `finish`, and a scope that goes away without it has changed nothing,
// except what acts at once.
//
// Every function that talks to the store throws `StoreError`. *Unavailable* is
// not "nobody is logged in": answer 503 and touch no cookie (promise P8).
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/csrf.hpp"
#include "sancho/event.hpp"
#include "sancho/http.hpp"
#include "sancho/policy.hpp"
#include "sancho/session.hpp"
#include "sancho/store.hpp"

namespace sancho {

namespace protocol {
struct Hand;
struct Intent;
class Finish;
enum class EndReason : std::uint8_t;
}  // namespace protocol

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

class SessionManagerBase;

// One request's hold on its session. It stays where it was made, on the thread
// that made it.
class RequestScopeBase {
 public:
  RequestScopeBase(const RequestScopeBase&) = delete;
  RequestScopeBase& operator=(const RequestScopeBase&) = delete;

  // Saves what changed and gives the header lines for the response: call it
  // before the first byte of the response leaves. Once; the session is closed
  // then. Throws `StoreError`, and then nothing of this request is kept, or, of
  // kind *in_doubt*, nobody can tell.
  HeaderLines finish();
  // Saves nothing. The header lines are those of what acted at once (a logout's
  // cookie); also after a `finish` that threw. Throws nothing.
  HeaderLines abort() noexcept;

  // Logs out, now: the session is ended in the store when this returns, in all
  // processes, whatever other requests are doing (promise P2). The handler goes
  // on with a blank session: what it sets there is not kept, unless it logs
  // somebody in.
  void expire_session();
  // Makes the browser forget the cookie, at the end of the request; the session
  // itself stays.
  void revoke_session_cookie();

  // Did the user log in or reauthenticate at most this long ago?
  bool is_fresh(std::optional<Duration> max_age = {}) const;

  // The sessions of the user: of the one who is being logged in, if this request
  // does that, else with this session among them; empty for nobody. Needs a store
  // with the power `subjects`, else throws `StoreError` (*refused*).
  std::vector<SessionInfo> sessions() const;
  // Ends one of the user's sessions by its handle, now. False if the user has
  // no such session: of another user's it cannot be told that it exists.
  bool end_session(const Handle& handle);
  // Ends all of the user's sessions but this one, now; how many. (One whose id
  // is being renewed at this very moment by a request that then crashes is not
  // found: see "Limits" in DESIGN.md.)
  std::size_t end_other_sessions();

  // The client's address, from the peer or from a trusted proxy.
  const std::string& remote_address() const;
  bool https() const;

 protected:
  RequestScopeBase(SessionManagerBase& manager, const Request& request);
  ~RequestScopeBase();
  void adopt(std::unique_ptr<SimpleSession> session);
  SimpleSession& session() const;
  const SessionContext context() const;

 private:
  friend class SessionManagerBase;
  friend class SimpleSession;
  friend class Session;
  friend class FormClaim;
  friend class SlotBase;

  std::optional<FormClaim> consume(const std::array<std::byte, 16>& token);
  bool give_back(const std::array<std::byte, 16>& token, std::uint64_t attempt);
  // The secret for this page's forms; with `make`, there is one afterwards.
  std::optional<CsrfSecret> csrf_secret(bool make);
  bool csrf_matches(std::string_view token, std::string_view form);
  void report(EventKind kind, std::string_view detail = {}) const;
  void close();

  void move_to(protocol::Hand&& where);
  // The user this request acts for, or nobody; and that user's session that it
  // is served from, if it is one.
  std::string acting_for() const;
  std::optional<Handle> own_handle() const;
  bool end_one(KeyedRecord& keyed, Deadline until);
  std::size_t end_where(const std::function<bool(const KeyedRecord&)>& chosen);
  protocol::Intent intent();
  void prepare_heir(protocol::Intent& intent);
  void maintain();
  void conclude(protocol::Finish& done, std::optional<protocol::EndReason> reason, std::optional<Handle> before);
  HeaderLines leave();

  struct State;
  std::unique_ptr<State> state_;
};

template <class S>
class RequestScope;

// What does not depend on the session class.
class SessionManagerBase {
 public:
  SessionManagerBase(const SessionManagerBase&) = delete;
  SessionManagerBase& operator=(const SessionManagerBase&) = delete;

  // ## The package's names for what a scope does

  HeaderLines finish_successful_request(RequestScopeBase& scope) { return scope.finish(); }
  HeaderLines finish_failed_request(RequestScopeBase& scope) { return scope.abort(); }
  void expire_session(RequestScopeBase& scope) { scope.expire_session(); }
  void revoke_session_cookie(RequestScopeBase& scope) { scope.revoke_session_cookie(); }
  // Saves the session if it has info, removes it if it has none any more, and
  // decides on its cookie. `finish` is this and the closing of the scope.
  void maintain_session(RequestScopeBase& scope);

  // Has the request a session cookie, of the right form? With `must_exist`, the
  // store is asked whether it opens a session.
  bool has_session_cookie(const Request& request, bool must_exist = false);

  // Whether the request may change something, as far as its origin tells
  // (`Policy::origins`). The adapters ask it before the handler runs.
  bool origin_allowed(const Request& request);

  // ## Housekeeping: call it now and then, from any thread or process

  // Removes expired records, a bounded number a call; true if more wait.
  bool sweep(std::size_t budget = 1000);
  // The package's: removes the sessions not accessed for `age`; how many.
  std::size_t delete_old_sessions(Duration age);

  SessionStore& store() const { return *store_; }
  const Policy& policy() const { return policy_; }
  const Clock& clock() const { return options_.clock; }

 protected:
  // Throws `ConfigError` if the policy cannot work, or asks for more than the
  // store gives.
  SessionManagerBase(std::shared_ptr<SessionStore> store, Policy policy, ManagerOptions options);
  ~SessionManagerBase();

 private:
  friend class RequestScopeBase;
  struct Parts;
  void report(EventKind kind, const Handle& handle, std::string_view subject, std::string_view detail) const;

  std::shared_ptr<SessionStore> store_;
  Policy policy_;
  ManagerOptions options_;
  std::unique_ptr<const Parts> parts_;
};

// `S` derives from `SimpleSession` or `Session`.
template <class S = Session>
class SessionManager : public SessionManagerBase {
 public:
  explicit SessionManager(std::shared_ptr<SessionStore> store, Policy policy = {}, ManagerOptions options = {})
      : SessionManagerBase(std::move(store), std::move(policy), options) {}
  virtual ~SessionManager() = default;

  // The session for this request: the one its cookie opens, or a new one, which
  // is stored only if it has info at the end. Never null.
  RequestScope<S> start_request(const Request& request) { return RequestScope<S>(*this, request); }

  // Makes the session object. Override it to give your class more to work with:
  // its constructor may then ask for what it likes.
  virtual std::unique_ptr<S> new_session(const SessionContext& context) {
    if constexpr (std::constructible_from<S, const SessionContext&>) return std::make_unique<S>(context);
    else throw UsageError("a session class that is not made from a SessionContext alone needs a manager that overrides new_session");
  }
};

template <class S>
class RequestScope : public RequestScopeBase {
 public:
  // `SessionManager::start_request`.
  RequestScope(SessionManager<S>& manager, const Request& request) : RequestScopeBase(manager, request) {
    auto made = manager.new_session(context());
    session_ = made.get();
    adopt(std::move(made));
  }

  S& operator*() const { return *session_; }
  S* operator->() const { return session_; }

 private:
  S* session_;
};

}  // namespace sancho
