// # Opening a connection that stays, with coroutines
//
// The twin of `handshake` in handshake.hpp, which says what is different from
// `exchange`.
#pragma once

#include "sancho/async/exchange.hpp"
#include "sancho/export.hpp"
#include "sancho/handshake.hpp"

namespace sancho SANCHO_EXPORT {

namespace detail {

inline boost::asio::awaitable<Handshake> settled(Handshake handshake) { co_return handshake; }

template <class S, class Handler>
boost::asio::awaitable<void> open(AsyncSessionManager<S>& manager, AsyncRequestScope<S>& scope, Handler& handler,
                                  std::optional<SessionTicket>& ticket) {
  must_have_read(scope.can_read());
  const bool wanted = co_await handler(scope);
  co_await manager.maintain_session(scope);
  if (wanted) ticket = scope.ticket();
}

template <class S, class Handler>
boost::asio::awaitable<Handshake> handshake(AsyncSessionManager<S>& manager,
                                            boost::asio::awaitable<AsyncRequestScope<S>> entering, Handler handler) {
  std::optional<SessionTicket> ticket;
  auto opening = [&](AsyncRequestScope<S>& scope) { return open(manager, scope, handler, ticket); };
  auto exchanging = exchange<S, decltype(opening)>(std::move(entering), std::move(opening));
  auto answer = co_await std::move(exchanging);
  co_return concluded(std::move(answer), std::move(ticket));
}

}  // namespace detail

// `handler` is given an `AsyncRequestScope<S>&` and gives an `awaitable<bool>`.
// The request is read before this returns, as `exchange` does.
template <class S, class Handler>
  requires std::invocable<Handler&, AsyncRequestScope<S>&>
boost::asio::awaitable<Handshake> handshake(AsyncSessionManager<S>& manager, const Request& request, Handler handler) {
  auto asked = detail::ask_for_origin(manager, request);
  if (asked.failed()) return detail::settled(Handshake{.answer = std::move(asked)});
  try {
    asked.status = manager.refusal(request);
    if (asked.status == 0)
      return detail::handshake<S, Handler>(manager, manager.start_request(request), std::move(handler));
  } catch (...) {
    asked.error = std::current_exception();
    asked.status = status_of(asked.error);
  }
  return detail::settled(Handshake{.answer = std::move(asked)});
}

}  // namespace sancho
