// # WebSockets of Boost.Beast
//
// A WebSocket is closed when the session that it was opened with has ended: by a
// logout, from wherever; by the end of all sessions of its user; by its limits.
// docs/websockets.md has a whole one.
//
//     auto opening = co_await sessions.handshake(request, peer, may_chat);
//     if (opening.refusal) co_return co_await write(stream, *opening.refusal);
//     websocket::stream<beast::tcp_stream> socket(std::move(stream));
//     socket.set_option(websocket::stream_base::decorator([&](auto& response) { opening.put(response); }));
//     co_await socket.async_accept(request, use_awaitable);
//
//     sancho::AsyncSessionWatch watch(manager, opening.ticket());
//     co_await sancho::while_session_lasts(socket, chat(socket, watch), watch);
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <exception>
#include <optional>
#include <utility>

#include "sancho/async/session_watch.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// How a WebSocket is closed whose session has ended.
struct CloseOptions {
  // The code for the other side (RFC 6455, section 7.4); those from 4000 on are
  // the application's. 1008 says that the connection breaks a rule.
  std::uint16_t code = 1008;
  // Where nobody knows whether it has ended (`SessionEnd::outage`): 1013 says to
  // try again later.
  std::uint16_t code_of_outage = 1013;
  // How long the other side has to agree. Then it is cut off. Messages that it
  // sends meanwhile still arrive: ask `watch.ended()` before acting on one.
  Duration grace = std::chrono::milliseconds(200);
};

namespace detail {

// Waits until the session has ended. Where that cannot be found out, the
// connection must not stay for it.
boost::asio::awaitable<SessionEnd> end_of_session(AsyncSessionWatch& watch);
// Awaits the conversation, and if it has come to an end because the session has,
// whoever closes the socket.
boost::asio::awaitable<void> converse(boost::asio::awaitable<void> conversation, AsyncSessionWatch& watch,
                                      std::exception_ptr& trouble);

// Sends the close, waits for the other's, and cuts off who does not send it.
template <class Next>
boost::asio::awaitable<SessionEnd> close_at_its_end(boost::beast::websocket::stream<Next>& socket,
                                                    AsyncSessionWatch& watch, CloseOptions options) {
  namespace asio = boost::asio;
  using namespace asio::experimental::awaitable_operators;
  const auto end = co_await end_of_session(watch);
  boost::beast::websocket::close_reason reason;
  reason.code = end == SessionEnd::outage ? options.code_of_outage : options.code;
  reason.reason.assign(to_string(end).data(), to_string(end).size());
  boost::system::error_code closed, late;
  asio::steady_timer timer(co_await asio::this_coro::executor, options.grace);
  auto closing = socket.async_close(reason, asio::redirect_error(asio::use_awaitable, closed));
  auto waiting = timer.async_wait(asio::redirect_error(asio::use_awaitable, late));
  auto either = std::move(closing) || std::move(waiting);
  co_await std::move(either);
  if (closed) boost::beast::close_socket(boost::beast::get_lowest_layer(socket));
  co_return end;
}

}  // namespace detail

// Awaits the conversation, which reads from the socket and writes to it, and
// closes the socket when its session has ended; then the conversation's next
// operation fails, as with any close, and it is cancelled. What comes back: how
// the session ended, or nothing, where the conversation came to its own end
// before. What that threw is thrown then.
//
// All runs on the coroutine's own executor, which must be one at a time: an
// `io_context` of one thread, or a strand. Cancelled, both are.
template <class Next>
boost::asio::awaitable<std::optional<SessionEnd>> while_session_lasts(boost::beast::websocket::stream<Next>& socket,
                                                                      boost::asio::awaitable<void> conversation,
                                                                      AsyncSessionWatch& watch,
                                                                      CloseOptions options = {}) {
  using namespace boost::asio::experimental::awaitable_operators;
  std::exception_ptr trouble;
  auto talking = detail::converse(std::move(conversation), watch, trouble);
  auto closing = detail::close_at_its_end(socket, watch, options);
  auto either = std::move(talking) || std::move(closing);
  const auto first = co_await std::move(either);
  if (first.index() == 1) co_return std::get<1>(first);
  if (trouble) std::rethrow_exception(trouble);
  co_return std::nullopt;
}

}  // namespace sancho
