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
#include <thread>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/manager_base.hpp"

namespace sancho SANCHO_EXPORT {

class SessionManagerBase;

// One request's hold on its session. It stays where it was made, on the thread
// that made it. What asks nobody is in `ScopeBase`.
class RequestScopeBase : public ScopeBase {
 public:
  // Saves what changed and gives the header lines for the response: call it
  // before the first byte of the response leaves. Once; the session is closed
  // then. Throws `StoreError`, and then nothing of this request is kept, or, of
  // kind *in_doubt*, nobody can tell.
  HeaderLines finish();

  // Logs out, now: the session is ended in the store when this returns, in all
  // processes, whatever other requests are doing (promise P2). The handler goes
  // on with a blank session: what it sets there is not kept, unless it logs
  // somebody in.
  void expire_session();

  // The sessions of the user: of the one who is being logged in, if this request
  // does that, else with this session among them; empty for nobody. Needs a store
  // with the power `subjects`, else throws `StoreError` (*refused*).
  std::vector<SessionInfo> sessions() const;
  // Ends one of the user's sessions by its handle, now. False if the user has
  // no such session: of another user's it cannot be told that it exists.
  bool end_session(const Handle& handle);
  // Ends all of the user's sessions but this one, now; how many. On a store with
  // the power `Epochs` also those that are just being made, so that who changes
  // a password is alone afterwards; elsewhere a login that is in flight goes on.
  std::size_t end_other_sessions();

  // Call it before a password is checked: a login that finishes after all of the
  // user's sessions were ended since (because the password was changed, say)
  // then loses. Without it a login counts from its `finish` on, where the store
  // has epochs. Throws `StoreError`.
  void begin_login(std::string_view subject);

 protected:
  RequestScopeBase(SessionManagerBase& manager, const Request& request);
  ~RequestScopeBase() override;

 private:
  friend class SessionManagerBase;
  std::optional<FormClaim> consume(std::string_view token) override;
  bool give_back(const FormClaim& claim) override;
  std::optional<Misuse> out_of_turn() const override;
  void maintain();

  SessionManagerBase& manager_;
  std::thread::id thread_;
};

template <class S>
class RequestScope;

// What does not depend on the session class.
class SessionManagerBase : public ManagerBase {
 public:
  // ## The package's names for what a scope does

  HeaderLines finish_successful_request(RequestScopeBase& scope) { return scope.finish(); }
  HeaderLines finish_failed_request(RequestScopeBase& scope) { return scope.abort(); }
  void expire_session(RequestScopeBase& scope) { scope.expire_session(); }
  void revoke_session_cookie(RequestScopeBase& scope) { scope.revoke_session_cookie(); }
  // Saves the session if it has info, removes it if it has none any more, and
  // decides on its cookie. `finish` is this and the closing of the scope.
  void maintain_session(RequestScopeBase& scope) { scope.maintain(); }

  // Has the request a session cookie, of the right form? (Or the header that
  // `Policy::transport` names.) With `must_exist`, the store is asked whether it
  // opens a session.
  bool has_session_cookie(const Request& request, bool must_exist = false);

  // ## Ending other people's sessions, now

  // All of a user's sessions, and the logins that are being made; how many
  // sessions. Needs a store with the power `subjects`; without `Epochs` a login
  // that is in flight goes on. One that cannot be ended keeps none of the others;
  // it is thrown at the end as `StoreError`, and *in doubt* where some have ended.
  std::size_t end_sessions_of(std::string_view subject);
  // Everybody's, visitors' too: after a break-in; how many. Walks over the whole
  // store, with `Policy::store_timeout` for each session, and needs `scan`.
  // Throws as `end_sessions_of` does. Both may be called from any thread.
  std::size_t end_all_sessions();

  // ## Housekeeping: call it now and then, from any thread or process; or leave
  // it to a `Sweeper` (sweeper.hpp), which does it once for all of them

  // Removes expired records, a bounded number a call; true if more wait.
  bool sweep(std::size_t budget = 1000);
  // The package's: removes the sessions not accessed for `age`; how many. Works
  // for `Policy::store_timeout` at most, and the next call goes on there.
  std::size_t delete_old_sessions(Duration age);

  SessionStore& store() const { return *store_; }

 protected:
  // Throws `ConfigError` if the policy cannot work, or asks for more than the
  // store gives.
  SessionManagerBase(std::shared_ptr<SessionStore> store, Policy policy, ManagerOptions options);
  ~SessionManagerBase() override;

 private:
  friend class RequestScopeBase;
  std::string store_name() const override;
  Routing* routing() const override;
  const Health* health() const override;
  bool has_subjects() const override;
  bool has_epochs() const override;

  // Changes the epoch of a subject (everyone's: empty) where there is one; what
  // it is now.
  std::optional<std::uint64_t> change_epoch(std::string_view subject, Deadline until);
  std::size_t end_chosen(std::string_view subject, const std::function<bool(const KeyedRecord&)>& chosen, Deadline until);

  std::shared_ptr<SessionStore> store_;
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
