// # CivetWeb
//
// Sessions for a server made with CivetWeb's C interface:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     sancho::CivetwebSessions sessions(manager);
//     mg_context* server = mg_start(nullptr, nullptr, settings);
//
//     using Request = sancho::CivetwebRequest;
//     sessions.handle(server, "/", [](ShopSession& session, const Request&, sancho::Response& response) {
//       ++session.visits;
//       response.text(page(session), "text/html; charset=utf-8");
//     });
//
// What such a handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. One that broke off never reaches a handler, and
//     neither does a head of which CivetWeb may have dropped lines (431).
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception. So it fills a
//     `Response`, and does not write to the connection.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
#pragma once

#include <civetweb.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/response.hpp"

namespace sancho SANCHO_EXPORT {

// A request, its body read.
class CivetwebRequest {
 public:
  CivetwebRequest(mg_connection* connection, std::string body);

  const mg_request_info& info() const { return *info_; }
  std::string_view method() const { return info_->request_method; }
  std::string_view path() const { return info_->local_uri ? info_->local_uri : ""; }
  std::string_view query() const { return info_->query_string ? info_->query_string : ""; }
  const std::string& body() const { return body_; }
  // A field of the query, or else of a body that is a form, decoded.
  std::optional<std::string> field(std::string_view name) const;

 private:
  const mg_request_info* info_;
  std::string body_;
};

struct CivetwebOptions {
  // Bodies beyond this many bytes are answered with 413, before any handler.
  std::size_t max_body = std::size_t{8} << 20;
  ErrorPage error_page{};
};

namespace detail {

using CivetwebHandler = std::function<void(const CivetwebRequest&, Response&)>;

// What CivetWeb calls, `data` being a `CivetwebRoute`.
struct CivetwebRoute {
  CivetwebHandler handler;
  std::size_t max_body;
};
int serve_civetweb(mg_connection* connection, void* data) noexcept;

void collect(const mg_request_info& info, RequestHead& head);

// Throws `UsageError` where CivetWeb would have no room for the session's lines.
void check_room(const Response& response);

}  // namespace detail

// Hands requests to handlers. Any thread may use it; it must outlive the server,
// and the manager must outlive both.
template <class S>
class CivetwebSessions {
 public:
  using Scope = RequestScope<S>;

  explicit CivetwebSessions(SessionManager<S>& manager, CivetwebOptions options = {})
      : manager_(&manager), options_(std::move(options)) {}
  CivetwebSessions(const CivetwebSessions&) = delete;
  CivetwebSessions& operator=(const CivetwebSessions&) = delete;

  // As `mg_set_request_handler`, whose `uri` it is. The handler's first argument
  // is a `S&`, or a `RequestScope<S>&` for those that log out or end other
  // sessions; it is good until the handler returns.
  template <SessionHandler<S, const CivetwebRequest&, Response&> F>
  void handle(mg_context* server, const char* uri, F handler) {
    auto run = [manager = manager_, page = options_.error_page, handler = std::move(handler)](
                   const CivetwebRequest& request, Response& response) mutable {
      const auto& info = request.info();
      RequestHead head(manager->policy(), info.request_method, info.remote_addr, info.is_ssl != 0);
      detail::collect(info, head);
      const auto answer = exchange(*manager, head.request(), [&](Scope& scope) {
        call_handler(handler, scope, request, response);
        detail::check_room(response);  // while nothing is saved yet
      });
      put_answer(answer, response, page);
    };
    routes_.push_back({std::move(run), options_.max_body});
    mg_set_request_handler(server, uri, detail::serve_civetweb, &routes_.back());
  }

 private:
  SessionManager<S>* manager_;
  CivetwebOptions options_;
  std::deque<detail::CivetwebRoute> routes_;  // which stay where they are
};

}  // namespace sancho
