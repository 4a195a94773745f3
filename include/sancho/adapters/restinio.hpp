// # RESTinio
//
// Sessions for RESTinio's servers, over Boost.Asio. RESTinio calls handlers on
// the threads of its event loop, and stores wait; so ours run on an executor of
// yours, a pool of threads say, and the answer goes back from there:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     restinio::asio_ns::thread_pool pool(8);
//     sancho::RestinioSessions sessions(manager, pool.get_executor());
//
//     auto router = std::make_unique<restinio::router::express_router_t<>>();
//     auto home = sessions.wrap([](ShopSession& session, const sancho::RestinioRequest&, sancho::Response& response) {
//       ++session.visits;
//       response.text(page(session), "text/html; charset=utf-8");
//     });
//     router->http_get("/", [home](auto request, auto) { return home(request); });
//
// What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. One that broke off never reaches a handler.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception. So it fills a
//     `Response`, and makes none of RESTinio's.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// RESTinio waits for an answer as long as the server's `handle_request_timeout`
// says, and then closes the connection; what the handler does is saved all the
// same. It reads bodies and heads of any length, unless the server's
// `incoming_http_msg_limits` says how much is enough.
//
// Include this before RESTinio's own headers, or define RESTINIO_USE_BOOST_ASIO
// for the whole program.
#pragma once

#if defined(RESTINIO_ASIO_VERSION) && !defined(RESTINIO_USE_BOOST_ASIO)
#error "sancho::restinio is for RESTinio on Boost.Asio: define RESTINIO_USE_BOOST_ASIO"
#endif
#ifndef RESTINIO_USE_BOOST_ASIO
#define RESTINIO_USE_BOOST_ASIO 1
#endif

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <restinio/request_handler.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/response.hpp"

namespace sancho SANCHO_EXPORT {

// A request, its body read. Views live as long as the handler runs.
class RestinioRequest {
 public:
  explicit RestinioRequest(const restinio::request_t& request) : request_(&request) {}

  const restinio::request_t& restinio() const { return *request_; }
  std::string_view method() const { return request_->header().method().c_str(); }
  std::string_view path() const;   // as it came: not decoded
  std::string_view query() const;  // what stands behind the question mark
  const std::string& body() const { return request_->body(); }
  // A field of the query, or else of a body that is a form, decoded.
  std::optional<std::string> field(std::string_view name) const;

 private:
  const restinio::request_t* request_;
};

struct RestinioOptions {
  // Bodies beyond this many bytes are answered with 413, before any handler.
  std::size_t max_body = std::size_t{8} << 20;
  // For how long a piece of a streamed answer may be on its way.
  std::chrono::seconds patience{30};
  ErrorPage error_page{};
};

// What RESTinio calls.
using RestinioHandler = std::function<restinio::request_handling_status_t(const restinio::request_handle_t&)>;

namespace detail {

// Fills the response from the request, whose head is in the first one.
using RestinioExchange = std::function<void(RequestHead&, const RestinioRequest&, Response&)>;

struct RestinioRoute {
  const Policy& policy;
  RestinioOptions options;
  RestinioExchange run;
};
// Answers the request, on the thread it is called on.
void serve_restinio(const RestinioRoute& route, const restinio::request_handle_t& request) noexcept;

}  // namespace detail

// Wraps handlers. Any thread may use what it made; the manager must outlive it
// and whatever the executor has still to do.
template <class S>
class RestinioSessions {
 public:
  using Scope = RequestScope<S>;
  using Executor = restinio::asio_ns::any_io_executor;

  // The executor must not be the server's own: its threads would wait for the
  // store. At most one request of each connection is on it at a time, unless the
  // server's `max_pipelined_requests` says otherwise.
  RestinioSessions(SessionManager<S>& manager, Executor executor, RestinioOptions options = {})
      : manager_(&manager), executor_(std::move(executor)), options_(std::move(options)) {}

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions. It is good until the handler returns.
  template <SessionHandler<S, const RestinioRequest&, Response&> F>
  RestinioHandler wrap(F handler) const {
    auto run = [manager = manager_, page = options_.error_page, handler = std::move(handler)](
                   RequestHead& head, const RestinioRequest& request, Response& response) mutable {
      const auto answer =
          exchange(*manager, head.request(), [&](Scope& scope) { call_handler(handler, scope, request, response); });
      put_answer(answer, response, page);
    };
    const auto route = std::make_shared<const detail::RestinioRoute>(manager_->policy(), options_, std::move(run));
    return [route, executor = executor_](const restinio::request_handle_t& request) {
      restinio::asio_ns::post(executor, [route, request] { detail::serve_restinio(*route, request); });
      return restinio::request_accepted();
    };
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  SessionManager<S>* manager_;
  Executor executor_;
  RestinioOptions options_;
};

}  // namespace sancho
