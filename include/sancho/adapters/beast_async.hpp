// # Boost.Beast, with coroutines
//
// What `beast.hpp` is for threads, this is for coroutines: nobody waits on the
// loop's thread, whatever the store does. Handlers are coroutines too:
//
//     sancho::AsyncSessionManager<ShopSession> manager(sancho::on_executor(store, threads.get_executor()));
//     const sancho::AsyncBeastSessions sessions(manager);
//
//     co_await http::async_read(stream, buffer, request, use_awaitable);
//     auto answer = co_await sessions.serve(request, peer, home);
//     const bool more = answer.keep_alive();
//     co_await beast::async_write(stream, std::move(answer), use_awaitable);
//
// What a handler can rely on is said there. It belongs to the component `beast`,
// where `async` was built.
#pragma once

#include "sancho/adapters/beast.hpp"
#include "sancho/async/exchange.hpp"
#include "sancho/async/handshake.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// Serves requests. Any thread may use it; the manager must outlive it.
template <class S>
class AsyncBeastSessions {
  // What a handler's coroutine gives.
  template <class F, class Body>
  using ResponseOf =
      typename decltype(call_handler(std::declval<F&>(), std::declval<AsyncRequestScope<S>&>(),
                                     std::declval<const boost::beast::http::request<Body>&>()))::value_type;

 public:
  using Scope = AsyncRequestScope<S>;

  explicit AsyncBeastSessions(AsyncSessionManager<S>& manager, BeastErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}

  // As `BeastSessions::serve`; the handler is given the same and gives an
  // `awaitable<http::response<...>>`. The request and what the handler refers to
  // must live until this has been awaited. Cancelled before anything was
  // written, it throws as `exchange` does.
  template <class Body, AsyncSessionHandler<S, const boost::beast::http::request<Body>&> F>
  boost::asio::awaitable<boost::beast::http::message_generator> serve(const boost::beast::http::request<Body>& request,
                                                                      BeastPeer peer, F handler) const {
    const detail::BeastAsked asked(request);
    std::optional<ResponseOf<F, Body>> response;
    if (!asked.certain) co_return detail::conclude(detail::uncertain(), response, page_, asked);
    auto entering = exchange_with(request, asked, peer, handler, response, true);
    const auto answer = co_await std::move(entering);
    co_return detail::conclude(answer, response, page_, asked);
  }

  // As `BeastSessions::serve_head`.
  template <class Body, AsyncSessionHandler<S, const boost::beast::http::request<Body>&> F>
  auto serve_head(const boost::beast::http::request<Body>& request, BeastPeer peer, F handler) const
      -> boost::asio::awaitable<BeastHead<typename detail::BeastBody<ResponseOf<F, Body>>::type>> {
    const detail::BeastAsked asked(request);
    std::optional<ResponseOf<F, Body>> response;
    if (!asked.certain) co_return detail::conclude_head(detail::uncertain(), response, page_, asked);
    auto entering = exchange_with(request, asked, peer, handler, response, false);
    const auto answer = co_await std::move(entering);
    co_return detail::conclude_head(answer, response, page_, asked);
  }

  // As `BeastSessions::handshake`; the handler gives an `awaitable<bool>`.
  template <class Body, AsyncSessionHandler<S, const boost::beast::http::request<Body>&> F>
  boost::asio::awaitable<BeastHandshake> handshake(const boost::beast::http::request<Body>& request, BeastPeer peer,
                                                   F handler) const {
    const detail::BeastAsked asked(request);
    if (!asked.certain) co_return detail::conclude({.answer = detail::uncertain()}, page_, asked);
    detail::BeastRequest wanted(manager_->policy(), request, peer);
    auto judge = [&request, &handler](Scope& scope) { return call_handler(handler, scope, request); };
    auto opening = sancho::handshake(*manager_, wanted.get(), std::move(judge));
    auto opened = co_await std::move(opening);
    co_return detail::conclude(std::move(opened), page_, asked);
  }

  AsyncSessionManager<S>& manager() const { return *manager_; }

 private:
  // Reads the head at once, and refers to the rest until it has been awaited.
  template <class Body, class F, class Response>
  boost::asio::awaitable<Answer> exchange_with(const boost::beast::http::request<Body>& request,
                                               const detail::BeastAsked& asked, const BeastPeer& peer, F& handler,
                                               std::optional<Response>& response, bool whole) const {
    detail::BeastRequest wanted(manager_->policy(), request, peer);
    auto serving = [&request, &asked, &handler, &response, whole](Scope& scope) -> boost::asio::awaitable<void> {
      auto handling = call_handler(handler, scope, request);
      response.emplace(co_await std::move(handling));
      detail::complete(*response, asked, whole);
    };
    return exchange(*manager_, wanted.get(), std::move(serving));
  }

  AsyncSessionManager<S>* manager_;
  BeastErrorPage page_;
};

}  // namespace sancho
