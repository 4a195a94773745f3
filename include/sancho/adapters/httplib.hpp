// # cpp-httplib
//
// Sessions for a server made with cpp-httplib. Wrapping a handler is one call,
// and the session is its first argument:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     sancho::HttplibSessions sessions(manager);
//     sancho::HttplibServer server;
//
//     server.Get("/", sessions.wrap([](ShopSession& session, const httplib::Request&, httplib::Response& res) {
//       ++session.visits;
//       res.set_content(page(session), "text/html");
//     }));
//     server.listen("127.0.0.1", 8080);
//
// What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// The server must be a `HttplibServer`, because cpp-httplib decodes `%3B` and
// the like in header values before handlers see them, which lets a cookie be
// forged out of another one's value.
#pragma once

#include <httplib.h>

#include <exception>
#include <functional>
#include <string>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"

namespace sancho SANCHO_EXPORT {

// A `httplib::Server` that hands on header values as they came over the wire.
// For everything else it is used as its parent is, whose timeouts and limits it
// keeps. Besides:
//
//   - requests that a client sends ahead of the answers are served in order;
//   - a request whose end is uncertain is the last one of its connection, so
//     that no part of it is ever taken for somebody else's next request;
//   - a head of more than 64 KiB is not read to its end;
//   - `stop` waits for requests in progress and for no idle connection;
//   - a port that is in use is an error, also if another HttplibServer uses it.
//
// It speaks no TLS: put a proxy in front and name it in `Policy::proxies`.
class HttplibServer : public httplib::Server {
 public:
  HttplibServer();

  // As the parent's, with room for more than five connections that wait to be
  // accepted: a sixth would be tried again after a second.
  bool bind_to_port(const std::string& host, int port, int socket_flags = 0);
  int bind_to_any_port(const std::string& host, int socket_flags = 0);
  bool listen(const std::string& host, int port, int socket_flags = 0);

 private:
  bool process_and_close_socket(socket_t socket) override;
};

// What a page for something that went wrong is made from. `status` is set: 403
// for a request that came from a foreign page and 415 for one that brings no
// JSON where it must (then there is no error), 503 for a store that is down,
// 500 for the rest. Set a body and its type. Called on the request's thread; if
// it throws, the plain answer is sent.
using HttplibErrorPage = std::function<void(const httplib::Request&, httplib::Response&, std::exception_ptr error)>;

namespace detail {

// A request as sessions want it: views into httplib's, which must outlive it.
// Throws `UsageError` if it comes from a server that decodes header values.
class HttplibRequest {
 public:
  HttplibRequest(const Policy& policy, const httplib::Request& request);
  operator const Request&() { return head_.request(); }

 private:
  RequestHead head_;
};

// Runs one exchange and puts what came of it into the response.
void answer(const Policy& policy, const HttplibErrorPage& page, const httplib::Request& request,
            httplib::Response& response, const std::function<Answer(const Request&)>& exchange);

}  // namespace detail

// Wraps handlers. Any thread may use what it made; the manager must outlive it.
template <class S>
class HttplibSessions {
 public:
  using Scope = RequestScope<S>;

  explicit HttplibSessions(SessionManager<S>& manager, HttplibErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions. It is good until the handler returns: a
  // content provider runs later and must have copied what it needs.
  template <SessionHandler<S, const httplib::Request&, httplib::Response&> F>
  httplib::Server::Handler wrap(F handler) const {
    return [manager = manager_, page = page_, handler = std::move(handler)](const httplib::Request& req,
                                                                            httplib::Response& res) mutable {
      const auto ask = [&](const Request& request) {
        return exchange(*manager, request, [&](Scope& scope) { call_handler(handler, scope, req, res); });
      };
      detail::answer(manager->policy(), page, req, res, std::ref(ask));  // a reference fits into a `function`
    };
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  SessionManager<S>* manager_;
  HttplibErrorPage page_;
};

}  // namespace sancho
