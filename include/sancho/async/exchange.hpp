// # For those who write adapters with coroutines
//
// The twin of `exchange` in adapter.hpp: the guards are asked, the handler runs
// with a scope, its session is saved, and what came of it is an `Answer`.
//
//     sancho::RequestHead head(manager.policy(), request.method, request.peer);
//     for (const auto& [name, value] : request.headers) head.add(name, value);
//
//     auto handler = [&](sancho::AsyncRequestScope<ShopSession>& scope) { return page(*scope, request, response); };
//     const sancho::Answer answer = co_await sancho::exchange(manager, head.request(), handler);
//
// What an adapter has to see to itself is said there.
#pragma once

#include <boost/asio/this_coro.hpp>

#include <type_traits>

#include "sancho/adapter.hpp"
#include "sancho/async/manager.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

namespace detail {

// Is it what Asio throws when an operation is cancelled?
bool is_cancellation(const std::exception_ptr& error);

inline boost::asio::awaitable<Answer> settled(Answer answer) { co_return answer; }

template <class S, class Handler>
boost::asio::awaitable<Answer> exchange(boost::asio::awaitable<AsyncRequestScope<S>> entering, Handler handler) {
  Answer answer;
  AsyncRequestScope<S> scope;
  try {
    scope = co_await std::move(entering);
    co_await handler(scope);
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    auto lines = scope.finish_in_place(state);
    if (!lines) lines = co_await scope.finish();
    answer.lines = *std::move(lines);
  } catch (...) {
    answer.error = std::current_exception();
  }
  if (answer.error) {
    answer.status = status_of(answer.error);
    answer.lines = scope.abort();
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none && is_cancellation(answer.error))
      std::rethrow_exception(answer.error);
  }
  co_return answer;
}

}  // namespace detail

// Runs `handler`, which is given an `AsyncRequestScope<S>&` and gives an
// `awaitable<void>`. The request is read before this returns, and need not
// outlive the call; what the handler refers to must live until it has been
// awaited. When it has, everything is decided and saved, so that the response
// may leave.
//
// What is thrown is in the answer. It throws where this coroutine was cancelled
// before anything was written: `operation_aborted`, as Asio's operations do.
template <class S, class Handler>
  requires std::invocable<Handler&, AsyncRequestScope<S>&>
boost::asio::awaitable<Answer> exchange(AsyncSessionManager<S>& manager, const Request& request, Handler handler) {
  Answer answer;
  try {
    answer.status = manager.refusal(request);
    if (answer.status == 0) return detail::exchange<S, Handler>(manager.start_request(request), std::move(handler));
  } catch (...) {
    answer.error = std::current_exception();
    answer.status = status_of(answer.error);
  }
  return detail::settled(std::move(answer));
}

// As `call_handler`: for handlers that take the session itself, or the whole
// scope. What they give is to be awaited.
template <class S, class Handler, class... Args>
  requires std::invocable<Handler&, S&, Args...> || std::invocable<Handler&, AsyncRequestScope<S>&, Args...>
auto call_handler(Handler& handler, AsyncRequestScope<S>& scope, Args&&... args) {
  if constexpr (std::invocable<Handler&, S&, Args...>)
    return handler(*scope, std::forward<Args>(args)...);
  else
    return handler(scope, std::forward<Args>(args)...);
}

template <class Handler, class S, class... Args>
concept AsyncSessionHandler =
    std::invocable<Handler&, S&, Args...> || std::invocable<Handler&, AsyncRequestScope<S>&, Args...>;

}  // namespace sancho
