// # Crow
//
// Sessions for a server made with Crow. Wrapping a handler is one call, and the
// session is its first argument:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     sancho::CrowSessions sessions(manager);
//     crow::SimpleApp app;
//
//     CROW_ROUTE(app, "/")(sessions.wrap([](ShopSession& session, const crow::request&) {
//       ++session.visits;
//       return crow::response(page(session));
//     }));
//     sancho::CrowServer(app.bindaddr("127.0.0.1").port(8080).concurrency(16)).run();
//
// What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// It runs on one of Crow's worker threads, to which other connections belong too:
// while it waits for the store, so do they. Give the app as many threads
// (`concurrency`) as requests may wait at once.
//
// The server must be a `CrowServer`, because Crow keeps the lines of a name in no
// order, drops those that are empty, and takes a trailer's for the head's: sessions
// on any other are refused with an error that says so. It speaks no TLS: put a
// proxy in front and name it in `Policy::proxies`.
#pragma once

#include <crow.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "sancho/adapter.hpp"
#include "sancho/error.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/request_gate.hpp"

namespace sancho SANCHO_EXPORT {

namespace detail {

#ifdef CROW_USE_BOOST
namespace crow_asio = boost::asio;
#else
namespace crow_asio = ::asio;
#endif

// The head of the request that this thread is serving; null where no `CrowServer`
// is.
inline thread_local std::shared_ptr<const WireHead> crow_head;

// A socket behind a gate: what is read of it is one request at a time.
class CrowStream {
 public:
  using executor_type = crow::tcp::socket::executor_type;

  explicit CrowStream(crow::tcp::socket& socket, std::uint64_t max_body)
      : socket_(&socket), gate_({.max_body = max_body}) {}

  executor_type get_executor() { return socket_->get_executor(); }

  // The handler keeps the connection, and with it this object, alive until it
  // has run.
  template <class Buffers, class Handler>
  void async_read_some(const Buffers& room, Handler handler) {
    if (given_ < part_.size()) {
      crow_asio::post(get_executor(), [this, room, handler] { give(room, handler); });
      return;
    }
    part_ = gate_.next();
    given_ = 0;
    if (!part_.empty()) return async_read_some(room, std::move(handler));
    if (gate_.refusal() != 0) {
      crow_asio::post(get_executor(), [this, handler] { refuse(handler); });
      return;
    }
    socket_->async_read_some(crow_asio::buffer(came_),
                             [this, room, handler](const crow::error_code& error, std::size_t size) {
                               if (error) return handler(error, 0);
                               gate_.receive({came_.data(), size});
                               async_read_some(room, handler);
                             });
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, crow::error_code& error) {
    return socket_->write_some(buffers, error);
  }

 private:
  struct Arriving {
    explicit Arriving(std::shared_ptr<const WireHead> head) { crow_head = std::move(head); }
    ~Arriving() { crow_head = nullptr; }
  };

  template <class Buffers, class Handler>
  void give(const Buffers& room, Handler& handler) {
    const auto size = crow_asio::buffer_copy(room, crow_asio::buffer(part_) + given_);
    given_ += size;
    const Arriving here(gate_.head());
    handler(crow::error_code(), size);  // after which this object may be gone
  }

  template <class Handler>
  void refuse(Handler& handler) {
    const std::string line = gate_.refusal() == 431   ? "431 Request Header Fields Too Large"
                             : gate_.refusal() == 413 ? "413 Content Too Large"
                                                      : "400 Bad Request";
    crow::error_code error;
    crow_asio::write(
        *socket_, crow_asio::buffer("HTTP/1.1 " + line + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), error);
    handler(crow::error_code(crow_asio::error::eof), 0);
  }

  crow::tcp::socket* socket_;
  RequestGate gate_;
  std::array<char, 4096> came_;
  std::string part_;  // of a request, for the framework
  std::size_t given_ = 0;
};

struct CrowLimits {
  std::uint64_t max_body;
};

// What Crow reads from and writes to. As a `SocketAdaptor`, which it is where a
// connection becomes a WebSocket's, there is no gate.
struct CrowAdaptor : crow::SocketAdaptor {
  using context = CrowLimits;
  CrowAdaptor(crow_asio::io_context& io, context* limits)
      : crow::SocketAdaptor(io, nullptr), stream(socket_, limits->max_body) {}
  CrowStream& socket() { return stream; }
  CrowStream stream;
};

// A response's head, for `put_lines`.
struct CrowHead {
  crow::response& response;
  void add(const std::string& name, const std::string& value) { response.add_header(name, value); }
  void replace(const std::string& name, const std::string& value) { response.set_header(name, value); }
  bool has(const std::string& name, const std::string& value) const {
    const auto [first, last] = response.headers.equal_range(name);
    for (auto line = first; line != last; ++line)
      if (line->second == value) return true;
    return false;
  }
};

}  // namespace detail

// What a page for something that went wrong is made from: 403 for a request that
// came from a foreign page and 415 for one that brings no JSON where it must
// (then there is no error), 503 for a store that is down, 500 for the rest. Its
// status is set for it. If it throws, the plain answer is sent.
using CrowErrorPage = std::function<crow::response(const crow::request&, int status, std::exception_ptr error)>;

struct CrowServerOptions {
  // Bodies beyond this many bytes are answered with 413, before any handler:
  // Crow itself reads what comes.
  std::uint64_t max_body = std::uint64_t{8} << 20;
  // As `app.timeout` and `app.server_name`, which cannot be asked.
  std::uint8_t timeout = 5;  // seconds
  std::string server_name = "Crow";
  bool stop_on_signals = true;  // SIGINT and SIGTERM
};

// Serves an app in place of `app.run()`, with its routes, blueprints, middlewares,
// WebSockets, address, port and `concurrency`. The app must outlive it.
template <class... Middlewares>
class CrowServer {
 public:
  using App = crow::Crow<Middlewares...>;

  // Listens; throws `ConfigError` if it cannot, and Crow's log says why. It takes the app's middlewares over: have them
  // ready by now, and find them at `middleware` from now on.
  explicit CrowServer(App& app, CrowServerOptions options = {})
      : app_(app),
        limits_{options.max_body},
        middlewares_(std::move(app.template get_middleware<Middlewares>())...),
        server_(&app, crow::tcp::endpoint(detail::crow_asio::ip::make_address(app.bindaddr()), app.port()),
                options.server_name, &middlewares_, app.concurrency(), options.timeout, &limits_) {
    if (server_.port() == 0)
      throw ConfigError("Crow cannot listen on " + app.bindaddr() + ":" + std::to_string(app.port()));
    if (!options.stop_on_signals) return;
    server_.signal_add(SIGINT);
    server_.signal_add(SIGTERM);
  }

  // Serves until it is stopped. Call it once.
  void run() {
#ifndef CROW_DISABLE_STATIC_DIR
    app_.add_blueprint();
    app_.add_static_dir();
#endif
    app_.validate();
    server_.run();
  }
  // From any thread, as `app.stop()`, which is nothing to this server.
  void stop() {
    app_.close_websockets();
    server_.stop();
  }

  std::uint16_t port() const { return server_.port(); }

  template <class M>
  M& middleware() {
    return std::get<M>(middlewares_);
  }

 private:
  App& app_;
  detail::CrowLimits limits_;
  std::tuple<Middlewares...> middlewares_;
  crow::Server<App, crow::TCPAcceptor, detail::CrowAdaptor, Middlewares...> server_;
};

template <class... Middlewares>
CrowServer(crow::Crow<Middlewares...>&) -> CrowServer<Middlewares...>;
template <class... Middlewares>
CrowServer(crow::Crow<Middlewares...>&, CrowServerOptions) -> CrowServer<Middlewares...>;

// Wraps handlers. Any thread may use it; it must outlive the server, and the
// manager must outlive it.
template <class S>
class CrowSessions {
 public:
  using Scope = RequestScope<S>;

  explicit CrowSessions(SessionManager<S>& manager, CrowErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}
  CrowSessions(const CrowSessions&) = delete;
  CrowSessions& operator=(const CrowSessions&) = delete;

  // For `CROW_ROUTE(app, url)(...)`. The handler's first argument is a `S&`, or a
  // `RequestScope<S>&` for those that log out or end other sessions, which is good
  // until the handler returns; then come the request and the route's parameters.
  // It returns a `crow::response`, or what one is made from. Several threads call
  // it at once.
  template <class F>
  auto wrap(F handler) const {
    return [ this, shared = std::make_shared<F>(std::move(handler)) ]<class... Parameters>(
               const crow::request& request, Parameters... parameters) -> crow::response
             requires SessionHandler<F, S, const crow::request&, Parameters...>
    {
      crow::response response;
      const auto answer = serve(request, [&](Scope& scope) {
        response = crow::response(call_handler(*shared, scope, request, std::move(parameters)...));
      });
      if (answer.failed()) response = error_response(request, answer);
      put_lines(answer, detail::CrowHead{response});
      return response;
    };
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  template <class Handler>
  Answer serve(const crow::request& request, Handler handler) const {
    const auto wire = detail::crow_head;
    if (!wire)
      return failure(
          UsageError("sessions need a sancho::CrowServer: crow's own keeps the lines of a head in no order"));
    RequestHead head(manager_->policy(), wire->method, request.remote_ip_address);
    for (const auto& [name, value] : wire->lines) head.add(name, value);
    return exchange(*manager_, head.request(), handler);
  }

  static Answer failure(UsageError error) {
    return {.status = 500, .error = std::make_exception_ptr(std::move(error))};
  }

  crow::response error_response(const crow::request& request, const Answer& answer) const {
    if (answer.broke_a_rule())
      tell(answer);
    else if (page_)
      try {
        auto response = page_(request, answer.status, answer.error);
        response.code = answer.status;
        return response;
      } catch (...) {  // the page for an error is itself in error: the plain answer says the same
      }
    crow::response response(answer.status, std::string(plain_text(answer.status)));
    response.set_header("Content-Type", "text/plain; charset=utf-8");
    return response;
  }

  // Whoever writes the program should see how it broke a rule.
  static void tell(const Answer& answer) {
    try {
      std::rethrow_exception(answer.error);
    } catch (const std::exception& error) {
      CROW_LOG_ERROR << error.what();
    }
  }

  SessionManager<S>* manager_;
  CrowErrorPage page_;
};

}  // namespace sancho
