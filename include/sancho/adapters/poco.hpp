// # POCO
//
// Sessions for `Poco::Net::HTTPServer`. A factory of POCO's gives out handlers
// that were made here, beside others:
//
//     struct Pages : Poco::Net::HTTPRequestHandlerFactory {
//       explicit Pages(sancho::SessionManager<ShopSession>& manager) : sessions(manager) {}
//       Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& request) override {
//         return request.getURI() == "/" ? sessions.handler(home) : nullptr;
//       }
//       sancho::PocoSessions<ShopSession> sessions;
//     };
//     void home(ShopSession& session, const sancho::PocoRequest&, sancho::Response& response) {
//       ++session.visits;
//       response.text(page(session), "text/html; charset=utf-8");
//     }
//
//     sancho::PocoServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 8080));
//     Poco::Net::HTTPServer server(new Pages(manager), socket, new Poco::Net::HTTPServerParams);
//     server.start();
//
// The server must listen on a `PocoServerSocket`: POCO decodes encoded words
// (RFC 2047) in header values, and then `Cookie` would not be what the browser
// sent. The socket keeps the head's bytes,
// and sessions read these. Over any other socket they are refused.
//
// What such a handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. A request that broke off never reaches a
//     handler, and neither does one of which not everybody would read the same
//     (400): with two lengths, say, or with lines that continue others.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception. So it fills a
//     `Response`, and does not write to POCO's.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/response.hpp"

namespace sancho SANCHO_EXPORT {

// A socket to listen on. Its connections keep the bytes of the head that is
// being read, and end where somebody has not read a request to its end: the rest
// is nobody's next request. They speak no TLS: put a proxy in front and name it
// in `Policy::proxies`.
class PocoServerSocket : public Poco::Net::ServerSocket {
 public:
  // Throws `Poco::Net::NetException` for an address that is in use.
  explicit PocoServerSocket(const Poco::Net::SocketAddress& address, int backlog = 1024);
};

// A request, its body read: POCO's stream of it is at its end.
class PocoRequest {
 public:
  PocoRequest(const Poco::Net::HTTPServerRequest& request, std::string body);

  const Poco::Net::HTTPServerRequest& poco() const { return *request_; }
  std::string_view method() const { return request_->getMethod(); }
  std::string_view path() const;   // as it came: not decoded
  std::string_view query() const;  // what stands behind the question mark
  const std::string& body() const { return body_; }
  // A field of the query, or else of a body that is a form, decoded.
  std::optional<std::string> field(std::string_view name) const;

 private:
  const Poco::Net::HTTPServerRequest* request_;
  std::string body_;
};

struct PocoOptions {
  // Bodies beyond this many bytes are answered with 413, before any handler.
  std::size_t max_body = std::size_t{8} << 20;
  ErrorPage error_page{};
};

namespace detail {

// Fills the response from the request, whose raw head is in the other one.
using PocoExchange = std::function<void(RequestHead&, const PocoRequest&, Response&)>;

// What POCO calls.
class PocoHandler : public Poco::Net::HTTPRequestHandler {
 public:
  PocoHandler(const Policy& policy, std::size_t max_body, PocoExchange run)
      : policy_(policy), max_body_(max_body), run_(std::move(run)) {}
  void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override;

 private:
  const Policy& policy_;
  std::size_t max_body_;
  PocoExchange run_;
};

}  // namespace detail

// Makes handlers. Any thread may use it; the manager must outlive all of them.
template <class S>
class PocoSessions {
 public:
  using Scope = RequestScope<S>;

  explicit PocoSessions(SessionManager<S>& manager, PocoOptions options = {})
      : manager_(&manager), options_(std::move(options)) {}

  // For `createRequestHandler`, whose caller deletes it. The first argument of
  // `handle` is a `S&`, or a `RequestScope<S>&` for those that log out or end
  // other sessions; it is good until `handle` returns.
  template <SessionHandler<S, const PocoRequest&, Response&> F>
  Poco::Net::HTTPRequestHandler* handler(F handle) const {
    auto run = [manager = manager_, page = options_.error_page, handle = std::move(handle)](
                   RequestHead& head, const PocoRequest& request, Response& response) mutable {
      const auto answer =
          exchange(*manager, head.request(), [&](Scope& scope) { call_handler(handle, scope, request, response); });
      put_answer(answer, response, page);
    };
    return new detail::PocoHandler(manager_->policy(), options_.max_body, std::move(run));
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  SessionManager<S>* manager_;
  PocoOptions options_;
};

}  // namespace sancho
