// # Boost.Beast
//
// Sessions for a server made with Boost.Beast. Beast reads requests and writes
// responses; what stands between the two is one call, and the session is its
// handler's first argument:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     const sancho::BeastSessions sessions(manager);
//
//     const auto peer = sancho::BeastPeer::of(socket.remote_endpoint());
//     http::read(socket, buffer, request);
//     auto answer = sessions.serve(request, peer, [](ShopSession& session, const Request&) {
//       ++session.visits;
//       http::response<http::string_body> response;
//       response.body() = page(session);
//       return response;
//     });
//     const bool more = answer.keep_alive();
//     beast::write(socket, std::move(answer));
//
// What a handler can rely on:
//
//   - A request of which two readers may think differently is answered with 400
//     before it, and `Connection: close`: whatever follows it is no request. Its
//     length must be told by one `Content-Length` of digits, or by one
//     `Transfer-Encoding` of `chunked` (and not in HTTP/1.0), or not at all; and
//     its host by one `Host`, of which HTTP/1.0 needs none. And because Beast puts
//     the lines behind the chunks among those of the head, a chunked one has at
//     most one line each of `X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded`.
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - What it did is saved, and `Set-Cookie` decided, when `serve` returns.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500. So it is if it gives a
//     response that cannot be sent: with a line's end in a header line, say,
//     which Beast would write as it is.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// Stores wait, so this is for a thread a connection. Coroutines have
// `beast_async.hpp`.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/message_generator.hpp>
#include <boost/beast/http/string_body.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/handshake.hpp"
#include "sancho/manager.hpp"

namespace sancho SANCHO_EXPORT {

// Where a request came from: ask once a connection.
struct BeastPeer {
  // Of the socket's other end; empty where it has none, as on a Unix socket.
  std::string address{};
  // The socket itself speaks TLS: the caller knows.
  bool https = false;

  static BeastPeer of(const boost::asio::ip::tcp::endpoint& other_end, bool https = false);
};

// A page for something that went wrong; `status` is 400 for a request whose head
// is read in two ways, 403 for one that came from a foreign page and 415 for one
// that brings no JSON where it must (then there is no error), 503 for a store that is down, 500 for the rest. The
// status is put in. If it throws, the plain answer is sent.
using BeastErrorPage =
    std::function<boost::beast::http::response<boost::beast::http::string_body>(unsigned status, std::exception_ptr)>;

// A response whose body the caller sends, its head being ready: `chunked`, unless
// the handler has said how long it is. Or, where there is no such body (the
// request failed, or was a HEAD), a message that is complete.
template <class Body>
using BeastHead = std::variant<boost::beast::http::response<Body>, boost::beast::http::message_generator>;

// What came of a WebSocket's handshake (handshake.hpp).
struct BeastHandshake {
  Handshake handshake;
  // The answer in place of the connection; none: it may be opened.
  std::optional<boost::beast::http::message_generator> refusal;

  // The session, for a watch. Only where it may be opened.
  const SessionTicket& ticket() const { return handshake.ticket.value(); }
  // Puts the session's lines into the response that accepts it: to be called by
  // the WebSocket's `decorator`.
  void put(boost::beast::http::fields& lines) const;
};

namespace detail {

namespace http = boost::beast::http;
using BeastText = http::response<http::string_body>;

// Does everybody read these lines the same: where the request ends, which host it
// is for, and which of its lines stood before its body?
bool is_certain(const http::fields& lines, unsigned version);

// What a request says of the answer to it.
struct BeastAsked {
  unsigned version;
  // Else there is no telling what the connection's next bytes are.
  bool certain;
  bool keep_alive, head;

  template <class Body>
  explicit BeastAsked(const http::request<Body>& request)
      : version(request.version()),
        certain(is_certain(request, version)),
        keep_alive(certain && request.keep_alive()),
        head(request.method() == http::verb::head) {}
};

// Throws `UsageError` for lines that would not be read as they were meant.
void must_be_sendable(const http::response_header<>& head);
// Has it a body, whatever the handler thinks?
bool has_body(const http::response_header<>& head);
void collect(const http::fields& lines, RequestHead& head);

// A request as sessions want it: views into Beast's, which must outlive it.
class BeastRequest {
 public:
  template <class Body>
  BeastRequest(const Policy& policy, const http::request<Body>& request, const BeastPeer& peer)
      : head_(policy, {request.method_string().data(), request.method_string().size()}, peer.address, peer.https) {
    collect(request, head_);
  }
  const Request& get() { return head_.request(); }

 private:
  RequestHead head_;
};

void put(const Answer& answer, http::fields& lines);
// The answer to a request that is not certain.
Answer uncertain();
BeastText failure(const Answer& answer, const BeastErrorPage& page, const BeastAsked& asked);

BeastHandshake conclude(Handshake handshake, const BeastErrorPage& page, const BeastAsked& asked);

// All that a head needs but for the session's lines. `whole`: the body is there,
// else the caller sends it.
template <class Body>
void complete(http::response<Body>& response, const BeastAsked& asked, bool whole) {
  must_be_sendable(response.base());
  const bool keep_alive = response.keep_alive() && asked.keep_alive;
  response.version(asked.version);
  response.keep_alive(keep_alive);
  if (!has_body(response.base())) {
    if (whole) response.prepare_payload();  // throws if there is one
    if (response.result() != http::status::not_modified) response.content_length(boost::none);
    return;
  }
  if (!response.has_content_length() && !response.chunked()) {
    if (whole)
      response.prepare_payload();
    else
      response.chunked(true);
  }
  if (asked.version >= 11) return;
  if (response.chunked()) response.chunked(false);
  // Then the end of the connection is the end of the body.
  if (!response.has_content_length()) response.keep_alive(false);
}

// The head alone.
http::message_generator head_of(http::response_header<> head);

http::message_generator message(BeastText&& response, bool head);
template <class Body>
http::message_generator message(http::response<Body>&& response, bool head) {
  if (head) return head_of(std::move(response.base()));
  return http::message_generator(std::move(response));
}

// What a handler gives.
template <class Response>
struct BeastBody;
template <class Body>
struct BeastBody<http::response<Body>> {
  using type = Body;
};

// What came of an exchange.
template <class Body>
http::message_generator conclude(const Answer& answer, std::optional<http::response<Body>>& response,
                                 const BeastErrorPage& page, const BeastAsked& asked) {
  if (answer.failed()) return message(failure(answer, page, asked), asked.head);
  put(answer, response->base());
  return message(std::move(*response), asked.head);
}

template <class Body>
BeastHead<Body> conclude_head(const Answer& answer, std::optional<http::response<Body>>& response,
                              const BeastErrorPage& page, const BeastAsked& asked) {
  if (answer.failed() || asked.head || !has_body(response->base())) return conclude(answer, response, page, asked);
  put(answer, response->base());
  return std::move(*response);
}

}  // namespace detail

// Serves requests. Any thread may use it; the manager must outlive it.
template <class S>
class BeastSessions {
 public:
  using Scope = RequestScope<S>;

  explicit BeastSessions(SessionManager<S>& manager, BeastErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}

  // The answer to one request, whose body has been read, ready to be written:
  // version, `Connection` and the length of the body are put in, and a HEAD's
  // answer has no body. The handler's first argument is a `S&`, or a
  // `RequestScope<S>&` for those that log out or end other sessions, the second
  // the request. It gives a `http::response` of whatever body. Throws nothing
  // but `std::bad_alloc`, and what a page for an error cannot be made without.
  template <class Body, SessionHandler<S, const boost::beast::http::request<Body>&> F>
  boost::beast::http::message_generator serve(const boost::beast::http::request<Body>& request, const BeastPeer& peer,
                                              F&& handler) const {
    const detail::BeastAsked asked(request);
    std::optional<ResponseOf<F, Body>> response;
    const auto answer = exchange_with(request, asked, peer, handler, response, true);
    return detail::conclude(answer, response, page_, asked);
  }

  // The same for an answer that is sent in pieces: what the handler put into the
  // body is left alone. Everything is saved by then, and the session is closed;
  // copy what is needed of it.
  template <class Body, SessionHandler<S, const boost::beast::http::request<Body>&> F>
  auto serve_head(const boost::beast::http::request<Body>& request, const BeastPeer& peer, F&& handler) const {
    const detail::BeastAsked asked(request);
    std::optional<ResponseOf<F, Body>> response;
    const auto answer = exchange_with(request, asked, peer, handler, response, false);
    return detail::conclude_head(answer, response, page_, asked);
  }

  // A WebSocket's handshake, as `handshake` in handshake.hpp. The handler's first
  // argument is a `S&` or a `RequestScope<S>&`, the second the request; it says
  // whether the connection may be opened.
  template <class Body, SessionHandler<S, const boost::beast::http::request<Body>&> F>
  BeastHandshake handshake(const boost::beast::http::request<Body>& request, const BeastPeer& peer, F&& handler) const {
    const detail::BeastAsked asked(request);
    if (!asked.certain) return detail::conclude({.answer = detail::uncertain()}, page_, asked);
    detail::BeastRequest wanted(manager_->policy(), request, peer);
    const auto judge = [&](Scope& scope) { return call_handler(handler, scope, request); };
    return detail::conclude(sancho::handshake(*manager_, wanted.get(), judge), page_, asked);
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  template <class F, class Body>
  using ResponseOf = decltype(call_handler(std::declval<F&>(), std::declval<Scope&>(),
                                           std::declval<const boost::beast::http::request<Body>&>()));

  template <class Body, class F, class Response>
  Answer exchange_with(const boost::beast::http::request<Body>& request, const detail::BeastAsked& asked,
                       const BeastPeer& peer, F& handler, std::optional<Response>& response, bool whole) const {
    if (!asked.certain) return detail::uncertain();
    detail::BeastRequest wanted(manager_->policy(), request, peer);
    return exchange(*manager_, wanted.get(), [&](Scope& scope) {
      response.emplace(call_handler(handler, scope, request));
      detail::complete(*response, asked, whole);
    });
  }

  SessionManager<S>* manager_;
  BeastErrorPage page_;
};

}  // namespace sancho
