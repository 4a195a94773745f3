// # Drogon
//
// Sessions for a server made with Drogon. Wrapping a handler is one call, and
// the session is its first argument:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     sancho::DrogonSessions sessions(manager, {.threads = 8});
//
//     drogon::app().registerHandler("/", sessions.wrap([](ShopSession& session, const drogon::HttpRequestPtr&) {
//       ++session.visits;
//       auto response = drogon::HttpResponse::newHttpResponse();
//       response->setBody(page(session));
//       return response;
//     }), {drogon::Get});
//     drogon::app().addListener("127.0.0.1", 8080).run();
//
// What a wrapped handler can rely on:
//
//   - It runs on one of the threads that it was promised, never on an event
//     loop, so it may wait for the store, and for whatever else.
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, or too many requests wait for a thread, the answer is
//     503 with `Retry-After` and no cookie: nobody is logged out (promise P8).
//   - Its response is put into no cache of Drogon's, whatever `setExpiredTime`
//     says: what is made for one visitor is sent to one.
//
// ## The gate
//
// Drogon keeps the last of two cookies of a name and the first of two other
// lines, and guesses where some bodies end. So a `RequestGate` reads every
// connection's bytes before Drogon does, refuses what could be understood in two
// ways (request_gate.hpp), and tells the heads as they came. It stands on every
// listener, with TLS or without, and takes Drogon's one connection callback
// (`setConnectionCallback`): give yours to `drogon_gate`. Where another has taken
// it since, no head is known, and sessions are refused with an error that says so.
#pragma once

#include <drogon/drogon.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/handshake.hpp"
#include "sancho/manager.hpp"
#include "sancho/request_gate.hpp"

namespace sancho SANCHO_EXPORT {

// What Drogon calls, as `registerHandler` and its kin take it.
using DrogonCallback = std::function<void(const drogon::HttpResponsePtr&)>;
using DrogonHandler = std::function<void(const drogon::HttpRequestPtr&, DrogonCallback&&)>;

// What a page for something that went wrong is made from: 403 for a request that
// came from a foreign page and 415 for one that brings no JSON where it must
// (then there is no error), 503 for a store that is down, 500 for the rest. Its
// status is set for it. If it throws or gives nothing, the plain answer is sent.
// Called on whichever thread it comes to.
using DrogonErrorPage =
    std::function<drogon::HttpResponsePtr(const drogon::HttpRequestPtr&, int status, std::exception_ptr error)>;

// Puts the gate before all listeners; `also` is called for each connection that
// comes and goes, as `setConnectionCallback` would. Call it before `app().run()`;
// sessions do where nobody has. Only the first call's `also` is heard.
void drogon_gate(std::function<void(const trantor::TcpConnectionPtr&)> also = {});

struct DrogonOptions {
  // How many handlers run at once.
  unsigned threads = 8;
  // The most requests that wait for a thread; one more is answered with 503.
  std::size_t max_waiting = 256;
  DrogonErrorPage error_page{};
};

namespace detail {

// Threads of a fixed number, and a queue of a bounded length before them.
class DrogonThreads {
 public:
  DrogonThreads(unsigned threads, std::size_t max_waiting);
  // What has begun is waited for, what waits is dropped.
  ~DrogonThreads();
  // False: too many wait, and `work` is as it was.
  bool run(std::function<void()>& work);

 private:
  void serve();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

// The head that came with this request. Throws `UsageError` if no gate saw it.
std::shared_ptr<const WireHead> drogon_head(const drogon::HttpRequestPtr& request);

// A request as sessions want it. It stays where it was made.
class DrogonRequest {
 public:
  // Throws as `drogon_head`.
  DrogonRequest(const Policy& policy, const drogon::HttpRequestPtr& request);
  const Request& get() { return head_.request(); }

 private:
  std::shared_ptr<const WireHead> wire_;
  std::string peer_;
  RequestHead head_;
};

// Collects the head, calls `exchange` with it, and makes the response of what
// came of it and of `response`, which the exchange's handler sets.
drogon::HttpResponsePtr drogon_answer(const Policy& policy, const DrogonErrorPage& page,
                                      const drogon::HttpRequestPtr& request, drogon::HttpResponsePtr& response,
                                      const std::function<Answer(const Request&)>& exchange);

// The response, or where the answer failed another in its place, with the answer's
// lines; `text` is what a plain one says.
drogon::HttpResponsePtr drogon_response(const DrogonErrorPage& page, const drogon::HttpRequestPtr& request,
                                        drogon::HttpResponsePtr response, const Answer& answer,
                                        std::string_view text = {});

// The response of a refusal; or null, and it has left with the request what
// `drogon_watch` asks for.
drogon::HttpResponsePtr drogon_handshake(const Policy& policy, const DrogonErrorPage& page,
                                         const drogon::HttpRequestPtr& request,
                                         const std::function<Handshake(const Request&)>& handshake);

// Calls `what` on this loop, or here where there is none. Not at all, once the
// application ends: its loops go before those who would be told.
void on_drogon_loop(trantor::EventLoop* loop, std::function<void()> what);

// Throws `UsageError` for a response that is none, or somebody else's too.
void check_drogon_response(const drogon::HttpResponsePtr& response);

}  // namespace detail

// Wraps handlers, and has the threads that they run on. Any thread may use it.
// It must outlive `app().run()`, and the manager must outlive it.
template <class S>
class DrogonSessions {
 public:
  using Scope = RequestScope<S>;

  explicit DrogonSessions(SessionManager<S>& manager, DrogonOptions options = {})
      : manager_(&manager), page_(std::move(options.error_page)), threads_(options.threads, options.max_waiting) {
    drogon_gate();
  }
  DrogonSessions(const DrogonSessions&) = delete;
  DrogonSessions& operator=(const DrogonSessions&) = delete;

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions; it is good until the handler returns.
  // What it returns is a response of its own (`HttpResponsePtr`), which nobody
  // else holds; a stream's callback runs later and must have copied what it
  // needs. Parameters of the path are in `request->getRoutingParameters()`.
  // Several threads call it at once.
  template <SessionHandler<S, const drogon::HttpRequestPtr&> F>
  DrogonHandler wrap(F handler) {
    const auto shared = std::make_shared<F>(std::move(handler));
    return [this, shared](const drogon::HttpRequestPtr& request, DrogonCallback&& callback) {
      const auto kept = std::make_shared<DrogonCallback>(std::move(callback));
      std::function<void()> work = [this, shared, request, kept] { (*kept)(serve(*shared, request)); };
      if (!threads_.run(work)) (*kept)(detail::drogon_response(page_, request, nullptr, {.status = 503}));
    };
  }

  // A WebSocket's handshake (handshake.hpp), for the filter of its controller:
  // drogon_websocket.hpp shows one. `may` is given a `S&` or a `RequestScope<S>&`,
  // and the request, and says whether the connection may be opened. It runs on
  // one of the threads; then either callback is called, as a filter's.
  template <SessionHandler<S, const drogon::HttpRequestPtr&> F>
  void handshake(const drogon::HttpRequestPtr& request, DrogonCallback&& refuse, std::function<void()>&& open, F may) {
    const auto no = std::make_shared<DrogonCallback>(std::move(refuse));
    auto* const loop = trantor::EventLoop::getEventLoopOfCurrentThread();
    // Both are called on the loop, so not before this call has returned there: where
    // Drogon has dropped the WebSocket to be, it closes what has not been sent.
    std::function<void()> work = [this, request, no, loop, open = std::move(open), may = std::move(may)]() mutable {
      const auto judge = [&](const Request& wanted) {
        return sancho::handshake(*manager_, wanted, [&](Scope& scope) { return call_handler(may, scope, request); });
      };
      const auto refusal = detail::drogon_handshake(manager_->policy(), page_, request, judge);
      if (refusal)
        detail::on_drogon_loop(loop, [no, refusal] { (*no)(refusal); });
      else
        detail::on_drogon_loop(loop, std::move(open));
    };
    if (!threads_.run(work)) (*no)(detail::drogon_response(page_, request, nullptr, {.status = 503}));
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  template <class F>
  drogon::HttpResponsePtr serve(F& handler, const drogon::HttpRequestPtr& request) const {
    drogon::HttpResponsePtr response;
    return detail::drogon_answer(manager_->policy(), page_, request, response, [&](const Request& wanted) {
      return exchange(*manager_, wanted, [&](Scope& scope) {
        response = call_handler(handler, scope, request);
        detail::check_drogon_response(response);  // while nothing is saved yet
      });
    });
  }

  SessionManager<S>* manager_;
  DrogonErrorPage page_;
  detail::DrogonThreads threads_;
};

}  // namespace sancho
