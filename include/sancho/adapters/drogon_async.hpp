// # Drogon, with coroutines
//
// What `drogon.hpp` is for threads, this is for Drogon's own coroutines: a
// handler is a `drogon::Task`, runs on the event loop of its request, and awaits
// the store and Drogon's clients alike:
//
//     boost::asio::thread_pool threads(4);
//     auto store = sancho::on_executor(sancho::open_store("sqlite:shop.db"), threads.get_executor());
//     sancho::AsyncSessionManager<ShopSession> manager(store);
//     sancho::AsyncDrogonSessions sessions(manager, threads.get_executor());
//
//     using Scope = sancho::AsyncRequestScope<ShopSession>;
//     drogon::app().registerHandler("/logout", sessions.wrap(
//         [&](Scope& scope, drogon::HttpRequestPtr) -> drogon::Task<drogon::HttpResponsePtr> {
//           co_await sessions.await(scope.expire_session());
//           co_return drogon::HttpResponse::newRedirectionResponse("/", drogon::k303SeeOther);
//         }), {drogon::Post});
//
// Sessions are coroutines of Asio, which a Drogon coroutine cannot await. `await`
// starts one on the executor, lets the loop go on, and resumes the coroutine on
// the loop that it left. So of one request one thread at a time is at work, which
// is all that a session asks (docs/coroutines.md).
//
// What a handler can rely on is said in `drogon.hpp`, but that it must not wait
// itself. It belongs to the component `drogon`, where `async` was built.
#pragma once

#include <drogon/utils/coroutine.h>

#include <coroutine>
#include <optional>

#include "sancho/adapters/drogon.hpp"
#include "sancho/async/exchange.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

namespace detail {

// For `co_await` in a Drogon coroutine, once.
template <class T>
class DrogonAwaiter {
 public:
  DrogonAwaiter(boost::asio::any_io_executor executor, boost::asio::awaitable<T> what)
      : executor_(std::move(executor)), what_(std::move(what)) {}

  bool await_ready() const noexcept { return false; }

  void await_suspend(std::coroutine_handle<> waiting) {
    auto* const loop = trantor::EventLoop::getEventLoopOfCurrentThread();
    const auto resume = [loop, waiting] { on_drogon_loop(loop, [waiting] { waiting.resume(); }); };
    // Once it is begun, this object may be gone at any moment.
    const auto executor = executor_;
    auto what = std::move(what_);
    if constexpr (std::is_void_v<T>)
      boost::asio::co_spawn(executor, std::move(what), [this, resume](std::exception_ptr error) {
        error_ = error;
        resume();
      });
    else
      boost::asio::co_spawn(executor, std::move(what), [this, resume](std::exception_ptr error, T value) {
        error_ = error;
        value_.emplace(std::move(value));
        resume();
      });
  }

  T await_resume() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  boost::asio::any_io_executor executor_;
  boost::asio::awaitable<T> what_;
  std::exception_ptr error_;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value_;
};

}  // namespace detail

// Wraps handlers. Any thread may use it. It must outlive `app().run()`, and the
// manager must outlive it.
template <class S>
class AsyncDrogonSessions {
 public:
  using Scope = AsyncRequestScope<S>;

  // What sessions have to wait for is begun on the executor, and waited for
  // there by nobody: one thread is enough.
  AsyncDrogonSessions(AsyncSessionManager<S>& manager, boost::asio::any_io_executor executor, DrogonErrorPage page = {})
      : manager_(&manager), executor_(std::move(executor)), page_(std::move(page)) {
    drogon_gate();
  }
  AsyncDrogonSessions(const AsyncDrogonSessions&) = delete;
  AsyncDrogonSessions& operator=(const AsyncDrogonSessions&) = delete;

  // The handler's first argument is a `S&`, or an `AsyncRequestScope<S>&`; both
  // are good until its coroutine ends. It gives a `drogon::Task` of a response of
  // its own, which nobody else holds; those that Drogon keeps for a loop, as
  // `newNotFoundResponse` gives, are none. It is called by many requests at once.
  template <AsyncSessionHandler<S, drogon::HttpRequestPtr> F>
  DrogonHandler wrap(F handler) {
    const auto shared = std::make_shared<F>(std::move(handler));
    return [this, shared](const drogon::HttpRequestPtr& request, DrogonCallback&& callback) {
      serve(shared, request, std::move(callback));
    };
  }

  // For `co_await`, in a Drogon coroutine: what a scope's operation gives.
  template <class T>
  detail::DrogonAwaiter<T> await(boost::asio::awaitable<T> what) const {
    return {executor_, std::move(what)};
  }

  AsyncSessionManager<S>& manager() const { return *manager_; }

 private:
  // The scope that is to be awaited; or a status, and there is none.
  boost::asio::awaitable<Scope> begin(const drogon::HttpRequestPtr& request, int& status) const {
    detail::DrogonRequest wanted(manager_->policy(), request);
    status = manager_->refusal(wanted.get());
    return status == 0 ? manager_->start_request(wanted.get()) : boost::asio::awaitable<Scope>();
  }

  template <class F>
  drogon::AsyncTask serve(std::shared_ptr<F> handler, drogon::HttpRequestPtr request, DrogonCallback callback) const {
    drogon::HttpResponsePtr response;
    Answer answer;
    Scope scope;
    try {
      auto entering = begin(request, answer.status);
      if (answer.status == 0) {
        scope = co_await await(std::move(entering));
        auto handling = call_handler(*handler, scope, request);
        response = co_await std::move(handling);
        detail::check_drogon_response(response);
        answer.lines = co_await await(scope.finish());
      }
    } catch (...) {
      answer.error = std::current_exception();
    }
    if (answer.error) {
      answer.status = status_of(answer.error);
      answer.lines = scope.abort();
    }
    callback(detail::drogon_response(page_, request, std::move(response), answer));
  }

  AsyncSessionManager<S>* manager_;
  boost::asio::any_io_executor executor_;
  DrogonErrorPage page_;
};

}  // namespace sancho
