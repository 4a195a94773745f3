// # AsyncSessionManager
//
// The session manager for C++20 coroutines on Boost.Asio: the same policies, the
// same session classes, the same promises as `SessionManager` (manager.hpp), and
// nobody waits on a thread.
//
//     sancho::AsyncSessionManager<ShopSession> sessions(store, policy);
//
//     boost::asio::awaitable<void> serve(...) {
//       auto scope = co_await sessions.start_request(request);
//       ++scope->visits;
//       const auto lines = co_await scope.finish();
//     }
//
// The store is a coroutine store (async/store.hpp), or any blocking one on
// threads that you supply (`on_executor`). docs/coroutines.md has the whole of
// it.
//
// ## Threads
//
// A request's coroutine may go from thread to thread, as it does on an
// `io_context` that several threads run. What it must not do is use one scope,
// or its session, twice at once: a session belongs to one request, and of the
// coroutines of that request one has it at a time. A second operation of a scope
// that has one under way throws `UsageError`; a session that is touched
// meanwhile, or by two threads at once, is caught in debug builds (misuse.hpp).
//
// ## Cancellation
//
// Every operation can be cancelled (Asio's per-operation cancellation), and then
// ends at once:
//
//   - while nothing was written, with `boost::system::system_error`,
//     `boost::asio::error::operation_aborted`, as any operation of Asio;
//   - while a write was under way, or when it had been decided, with
//     `StoreError` of kind *in_doubt*: it may have happened. No cookie is sent.
//
// A scope that goes away because its coroutine is torn down has saved nothing
// but what acted at once; that is no broken rule, and no event.
//
// ## Completion tokens
//
// Each operation has a form that takes any of Asio's completion tokens: a
// callback `void(std::exception_ptr, Result)`, `use_future`, `deferred`.
//
//     sessions.async_start_request(executor, request, [](std::exception_ptr trouble, auto scope) { ... });
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <concepts>

#include "sancho/async/store.hpp"
#include "sancho/export.hpp"
#include "sancho/manager_base.hpp"

namespace sancho {
class AsyncManagerCore;
class AsyncScope;
}  // namespace sancho

namespace sancho SANCHO_EXPORT {

// One request's hold on its session, as `RequestScopeBase`; what a member does
// is said there. It may be moved, and empty: then every member throws
// `UsageError`.
class AsyncRequestScopeBase {
 public:
  AsyncRequestScopeBase() = default;
  explicit operator bool() const { return scope_ != nullptr; }

  boost::asio::awaitable<HeaderLines> finish();
  // What `finish` gives, and throws what it throws, at once: where the store never
  // waits (`AsyncSessionStore::in_place`) and the coroutine, of which that is the
  // state, was not cancelled. Else nothing, and nothing has been done: await `finish`.
  std::optional<HeaderLines> finish_in_place(boost::asio::cancellation_state state);
  HeaderLines abort() noexcept;

  boost::asio::awaitable<void> expire_session();
  void revoke_session_cookie();

  // `Session::consume_form_token` and `FormClaim::give_back`, which would wait on
  // the thread and throw `UsageError` here.
  boost::asio::awaitable<std::optional<FormClaim>> consume_form_token(std::string_view token);
  boost::asio::awaitable<bool> give_back(const FormClaim& claim);

  boost::asio::awaitable<void> begin_login(std::string_view subject);
  LoginOutcome login_outcome() const;
  std::optional<SessionTicket> ticket() const;
  bool is_fresh(std::optional<Duration> max_age = {}) const;

  boost::asio::awaitable<std::vector<SessionInfo>> sessions();
  boost::asio::awaitable<bool> end_session(Handle handle);
  boost::asio::awaitable<std::size_t> end_other_sessions();

  bool can_read() const;
  bool can_write() const;
  bool outage() const { return !can_read() || !can_write(); }
  const std::string& remote_address() const;
  bool https() const;

  // The executor that `start_request` ran on.
  boost::asio::any_io_executor get_executor() const;

  // ## With a completion token, on that executor

  template <class Token>
  auto async_finish(Token&& token) {
    return spawn(finish(), std::forward<Token>(token));
  }
  template <class Token>
  auto async_expire_session(Token&& token) {
    return spawn(expire_session(), std::forward<Token>(token));
  }
  template <class Token>
  auto async_consume_form_token(std::string_view form_token, Token&& token) {
    return spawn(consume_form_token(form_token), std::forward<Token>(token));
  }
  template <class Token>
  auto async_give_back(const FormClaim& claim, Token&& token) {
    return spawn(give_back(claim), std::forward<Token>(token));
  }
  template <class Token>
  auto async_begin_login(std::string_view subject, Token&& token) {
    return spawn(begin_login(subject), std::forward<Token>(token));
  }
  template <class Token>
  auto async_sessions(Token&& token) {
    return spawn(sessions(), std::forward<Token>(token));
  }
  template <class Token>
  auto async_end_session(const Handle& handle, Token&& token) {
    return spawn(end_session(handle), std::forward<Token>(token));
  }
  template <class Token>
  auto async_end_other_sessions(Token&& token) {
    return spawn(end_other_sessions(), std::forward<Token>(token));
  }

 protected:
  explicit AsyncRequestScopeBase(std::shared_ptr<AsyncScope> scope) : scope_(std::move(scope)) {}

 private:
  friend class AsyncSessionManagerBase;
  AsyncScope& scope() const;
  std::shared_ptr<AsyncScope> held() const;
  template <class T, class Token>
  auto spawn(boost::asio::awaitable<T> what, Token&& token) {
    return boost::asio::co_spawn(get_executor(), std::move(what), std::forward<Token>(token));
  }

  // An operation that is under way holds it too.
  std::shared_ptr<AsyncScope> scope_;
};

template <class S>
class AsyncRequestScope : public AsyncRequestScopeBase {
 public:
  AsyncRequestScope() = default;
  S& operator*() const { return *session_; }
  S* operator->() const { return session_; }

 private:
  template <class>
  friend class AsyncSessionManager;
  AsyncRequestScope(std::shared_ptr<AsyncScope> scope, S* session)
      : AsyncRequestScopeBase(std::move(scope)), session_(session) {}
  S* session_ = nullptr;
};

// What does not depend on the session class; as `SessionManagerBase`, where each
// member is described. Safe to use from any thread.
class AsyncSessionManagerBase {
 public:
  AsyncSessionManagerBase(const AsyncSessionManagerBase&) = delete;
  AsyncSessionManagerBase& operator=(const AsyncSessionManagerBase&) = delete;

  // ## The package's names for what a scope does

  boost::asio::awaitable<HeaderLines> finish_successful_request(AsyncRequestScopeBase& scope) { return scope.finish(); }
  HeaderLines finish_failed_request(AsyncRequestScopeBase& scope) { return scope.abort(); }
  boost::asio::awaitable<void> expire_session(AsyncRequestScopeBase& scope) { return scope.expire_session(); }
  void revoke_session_cookie(AsyncRequestScopeBase& scope) { scope.revoke_session_cookie(); }
  boost::asio::awaitable<void> maintain_session(AsyncRequestScopeBase& scope);

  // ## What is asked about a request; it need not outlive the call

  boost::asio::awaitable<bool> has_session_cookie(const Request& request, bool must_exist = false);
  bool origin_allowed(const Request& request);
  bool content_allowed(const Request& request);
  int refusal(const Request& request);
  bool handshake_allowed(const Request& request);

  // ## Ending other people's sessions, and housekeeping
  //
  // Cancelled after some sessions have ended, or logins in flight, they throw
  // `StoreError` of kind *in_doubt*: call them again.

  boost::asio::awaitable<std::size_t> end_sessions_of(std::string_view subject);
  boost::asio::awaitable<std::size_t> end_all_sessions();
  boost::asio::awaitable<bool> sweep(std::size_t budget = 1000);
  boost::asio::awaitable<std::size_t> delete_old_sessions(Duration age);

  // ## With a completion token, on `executor`

  template <class Token>
  auto async_maintain_session(AsyncRequestScopeBase& scope, Token&& token) {
    return scope.spawn(maintain_session(scope), std::forward<Token>(token));
  }
  template <class Token>
  auto async_has_session_cookie(boost::asio::any_io_executor executor, const Request& request, bool must_exist,
                                Token&& token) {
    return boost::asio::co_spawn(executor, has_session_cookie(request, must_exist), std::forward<Token>(token));
  }
  template <class Token>
  auto async_end_sessions_of(boost::asio::any_io_executor executor, std::string_view subject, Token&& token) {
    return boost::asio::co_spawn(executor, end_sessions_of(subject), std::forward<Token>(token));
  }
  template <class Token>
  auto async_end_all_sessions(boost::asio::any_io_executor executor, Token&& token) {
    return boost::asio::co_spawn(executor, end_all_sessions(), std::forward<Token>(token));
  }
  template <class Token>
  auto async_sweep(boost::asio::any_io_executor executor, std::size_t budget, Token&& token) {
    return boost::asio::co_spawn(executor, sweep(budget), std::forward<Token>(token));
  }
  template <class Token>
  auto async_delete_old_sessions(boost::asio::any_io_executor executor, Duration age, Token&& token) {
    return boost::asio::co_spawn(executor, delete_old_sessions(age), std::forward<Token>(token));
  }

  AsyncSessionStore& store() const;
  const Policy& policy() const;
  const Clock& clock() const;

 protected:
  // Throws `ConfigError` if the policy cannot work, or asks for more than the
  // store gives.
  AsyncSessionManagerBase(std::shared_ptr<AsyncSessionStore> store, Policy policy, ManagerOptions options);
  ~AsyncSessionManagerBase();

  // The three parts of `start_request`. The first reads the request and keeps
  // nothing of it; the second asks the store.
  std::shared_ptr<AsyncScope> arrive(const Request& request);
  static boost::asio::awaitable<void> enter(std::shared_ptr<AsyncScope> scope);
  // The same at once, or false.
  static bool enter_in_place(AsyncScope& scope, const boost::asio::any_io_executor& executor,
                             boost::asio::cancellation_state state);
  static void adopt(AsyncScope& scope, std::unique_ptr<SimpleSession> session);
  static SessionContext context(AsyncScope& scope);

 private:
  friend class AsyncSessionWatch;
  // Requests under way hold it, so that they can be torn down after the manager.
  std::shared_ptr<AsyncManagerCore> core_;
};

// `S` derives from `SimpleSession` or `Session`. The manager must outlive the
// requests it begins, but for those that are torn down with their executor.
template <class S = Session>
class AsyncSessionManager : public AsyncSessionManagerBase {
 public:
  explicit AsyncSessionManager(std::shared_ptr<AsyncSessionStore> store, Policy policy = {},
                               ManagerOptions options = {})
      : AsyncSessionManagerBase(std::move(store), std::move(policy), options) {}
  virtual ~AsyncSessionManager() = default;

  // The session for this request, as `SessionManager::start_request`. The request
  // is read before this returns, and need not outlive the call.
  boost::asio::awaitable<AsyncRequestScope<S>> start_request(const Request& request) { return begin(arrive(request)); }

  template <class Token>
  auto async_start_request(boost::asio::any_io_executor executor, const Request& request, Token&& token) {
    return boost::asio::co_spawn(executor, start_request(request), std::forward<Token>(token));
  }

  // Makes the session object, as `SessionManager::new_session`.
  virtual std::unique_ptr<S> new_session(const SessionContext& context) {
    if constexpr (std::constructible_from<S, const SessionContext&>)
      return std::make_unique<S>(context);
    else
      throw UsageError(
          "a session class that is not made from a SessionContext alone needs a manager that overrides new_session");
  }

 private:
  boost::asio::awaitable<AsyncRequestScope<S>> begin(std::shared_ptr<AsyncScope> scope) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (!enter_in_place(*scope, executor, state)) co_await enter(scope);
    auto made = new_session(context(*scope));
    S* session = made.get();
    adopt(*scope, std::move(made));
    co_return AsyncRequestScope<S>(std::move(scope), session);
  }
};

}  // namespace sancho
