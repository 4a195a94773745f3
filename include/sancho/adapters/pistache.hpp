// # Pistache
//
// Sessions for `Pistache::Http::Endpoint`:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     const sancho::PistacheSessions sessions(manager);
//     auto serve = sessions.wrap([](ShopSession& session, const sancho::PistacheRequest&, sancho::Response& response) {
//       ++session.visits;
//       response.text(page(session), "text/html; charset=utf-8");
//     });
//     Pistache::Http::Endpoint endpoint(Pistache::Address("127.0.0.1", 8080));
//     endpoint.init();
//     endpoint.setHandler(std::make_shared<sancho::PistacheHandler>(serve));
//     endpoint.serve();
//
// Sessions need every `Cookie` line to the byte, and an answer that reaches its
// own client or nobody. So a `PistacheHandler` takes the bytes of Pistache's
// connections, reads the request from these, and answers over a descriptor that
// stays this connection's. Pistache accepts, listens and reads; its own requests,
// response writers and routers have no part in it.
//
// What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. A request that broke off never reaches a
//     handler, and neither does one of which not everybody would read the same
//     (400): with two lengths, say, or with lines that continue others.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// Pistache's threads are event loops, and stores wait. So handlers run on
// threads of the `PistacheHandler`'s.
#pragma once

#include <pistache/http.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/raw_request.hpp"
#include "sancho/response.hpp"

namespace sancho SANCHO_EXPORT {

// A request, its body read. Views live as long as the handler runs.
class PistacheRequest {
 public:
  PistacheRequest(const RawHead& head, const std::string& body, const std::string& peer)
      : head_(&head), body_(&body), peer_(&peer) {}

  const RawHead& head() const { return *head_; }
  std::string_view method() const { return head_->method(); }
  std::string_view path() const;   // as it came: not decoded
  std::string_view query() const;  // what stands behind the question mark
  const std::string& body() const { return *body_; }
  const std::string& peer_address() const { return *peer_; }  // of the socket's other end
  // The first header line of that name; nothing if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  // A field of the query, or else of a body that is a form, decoded.
  std::optional<std::string> field(std::string_view name) const;

 private:
  const RawHead* head_;
  const std::string* body_;
  const std::string* peer_;
};

// What runs for a request, sessions and all: `PistacheSessions::wrap` makes it.
using PistacheFunction = std::function<void(const PistacheRequest&, Response&)>;

struct PistacheOptions {
  unsigned threads = 8;  // where handlers run
  // Bodies beyond this many bytes are answered with 413, before any handler.
  std::size_t max_body = std::size_t{8} << 20;
  // For how long a client may take nothing of an answer.
  std::chrono::seconds patience{30};
  // For how long it may take to send one that is not streamed: a client that
  // takes a little of it now and then holds one of the threads.
  std::chrono::seconds longest{300};
};

// What an endpoint hands its connections to. Of the endpoint's options,
// `keepaliveTimeout` says how long it may take from one request to the end of
// the next; the other bounds and timeouts are those above. It must not speak TLS
// (such connections are closed): put a proxy in front and name it in
// `Policy::proxies`.
class PistacheHandler : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(PistacheHandler)
  explicit PistacheHandler(PistacheFunction function, PistacheOptions options = {});
  // When the last copy goes, requests in progress are waited for. The endpoint
  // has copies and must have been shut down by then.
  ~PistacheHandler() override;
  PistacheHandler(const PistacheHandler&) = default;

  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter) override;
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
  void onInput(const char* buffer, std::size_t size, const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;
  void onDisconnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override;

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

// Wraps handlers. Any thread may use what it made; the manager must outlive it.
template <class S>
class PistacheSessions {
 public:
  using Scope = RequestScope<S>;

  explicit PistacheSessions(SessionManager<S>& manager, ErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions. It is good until the handler returns.
  template <SessionHandler<S, const PistacheRequest&, Response&> F>
  PistacheFunction wrap(F handler) const {
    return [manager = manager_, page = page_, handler = std::move(handler)](const PistacheRequest& request,
                                                                            Response& response) mutable {
      RequestHead head(manager->policy(), request.method(), request.peer_address());
      request.head().add_to(head);
      const auto answer =
          exchange(*manager, head.request(), [&](Scope& scope) { call_handler(handler, scope, request, response); });
      put_answer(answer, response, page);
    };
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  SessionManager<S>* manager_;
  ErrorPage page_;
};

}  // namespace sancho
