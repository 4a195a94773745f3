// # GNU libmicrohttpd
//
// Sessions for a server made with libmicrohttpd's C interface. A handler gives a
// `MHD_Response` as it would anyhow, made in whatever way:
//
//     sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:shop.db"));
//     sancho::MicrohttpdSessions sessions(manager);
//     sancho::MicrohttpdServer server(
//         sessions.wrap([](ShopSession& session, const sancho::MicrohttpdRequest& request) {
//           ++session.visits;
//           return sancho::MicrohttpdReply::text(page(session), "text/html; charset=utf-8");
//         }),
//         {.port = 8080});
//     pause();
//
// What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. One that broke off never reaches a handler.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; responses from a callback are no exception.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// Stores wait, so each connection has a thread of its own. A daemon with one
// thread, or a pool of them, would have everybody else wait too.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"

namespace sancho SANCHO_EXPORT {

// A request, its body read. Views live as long as the handler runs.
class MicrohttpdRequest {
 public:
  MicrohttpdRequest(MHD_Connection* connection, const char* method, const char* path, const std::string& body)
      : connection_(connection), method_(method), path_(path), body_(&body) {}

  MHD_Connection* connection() const { return connection_; }
  std::string_view method() const { return method_; }
  std::string_view path() const { return path_; }  // decoded
  const std::string& body() const { return *body_; }
  // A field of the query, or else of a body that is a form, decoded.
  std::optional<std::string> field(const std::string& name) const;

 private:
  MHD_Connection* connection_;
  std::string_view method_, path_;
  const std::string* body_;
};

// A response and its status. The response must be this request's own: the
// session's lines go into it.
class MicrohttpdReply {
 public:
  // Takes the response over.
  explicit MicrohttpdReply(MHD_Response* response, unsigned status = 200) : status_(status), response_(response) {}
  static MicrohttpdReply text(std::string_view text, std::string_view type = "text/plain; charset=utf-8",
                              unsigned status = 200);
  static MicrohttpdReply redirect(std::string_view location, unsigned status = 303);

  // One header line more. Throws `UsageError` for what libmicrohttpd will not
  // send: a name or a value with a line's end in it.
  void add(const std::string& name, const std::string& value);

  unsigned status() const { return status_; }
  MHD_Response* response() const { return response_.get(); }

 private:
  struct Destroy {
    void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
  };
  unsigned status_;
  std::unique_ptr<MHD_Response, Destroy> response_;
};

// What runs for a request, sessions and all: `MicrohttpdSessions::wrap` makes it.
using MicrohttpdHandler = std::function<MicrohttpdReply(const MicrohttpdRequest&)>;

// A page for something that went wrong; `status` is 403 for a request that came
// from a foreign page and 415 for one that brings no JSON where it must (then
// there is no error), 503 for a store that is down, 500 for the rest. If it
// throws, the plain answer is sent.
using MicrohttpdErrorPage = std::function<MicrohttpdReply(unsigned status, std::exception_ptr error)>;

struct MicrohttpdOptions {
  std::uint16_t port = 0;  // 0: any that is free
  std::string address = "127.0.0.1";
  // Bodies beyond this many bytes are answered with 413, before any handler.
  std::size_t max_body = std::size_t{8} << 20;
  unsigned connection_timeout = 30;  // seconds without a byte
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
  // More of libmicrohttpd's options, for TLS say.
  std::vector<MHD_OptionItem> more{};
};

// A daemon that is there as long as this is.
class MicrohttpdServer {
 public:
  // Throws `std::runtime_error` if it cannot listen.
  explicit MicrohttpdServer(MicrohttpdHandler handler, MicrohttpdOptions options = {});
  // Takes no new requests, and waits for those in progress.
  ~MicrohttpdServer();
  MicrohttpdServer(const MicrohttpdServer&) = delete;
  MicrohttpdServer& operator=(const MicrohttpdServer&) = delete;

  int port() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

namespace detail {
// The connection's other end, and what the head says.
std::string peer_of(MHD_Connection* connection);
bool is_tls(MHD_Connection* connection);
void collect(MHD_Connection* connection, RequestHead& head);
MicrohttpdReply finish(const Answer& answer, std::optional<MicrohttpdReply> reply, const MicrohttpdErrorPage& page);
}  // namespace detail

// Wraps handlers. Any thread may use what it made; the manager must outlive it.
template <class S>
class MicrohttpdSessions {
 public:
  using Scope = RequestScope<S>;

  explicit MicrohttpdSessions(SessionManager<S>& manager, MicrohttpdErrorPage page = {})
      : manager_(&manager), page_(std::move(page)) {}

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions. It is good until the handler returns: a
  // response's callback runs later and must have copied what it needs.
  template <SessionHandler<S, const MicrohttpdRequest&> F>
  MicrohttpdHandler wrap(F handler) const {
    return [manager = manager_, page = page_, handler = std::move(handler)](const MicrohttpdRequest& request) mutable {
      const auto peer = detail::peer_of(request.connection());
      RequestHead head(manager->policy(), request.method(), peer, detail::is_tls(request.connection()));
      detail::collect(request.connection(), head);
      std::optional<MicrohttpdReply> reply;
      const auto answer = exchange(*manager, head.request(), [&](Scope& scope) {
        reply.emplace(call_handler(handler, scope, request));
        if (!reply->response()) throw UsageError("rule broken: a handler gave no response");
      });
      return detail::finish(answer, std::move(reply), page);
    };
  }

  SessionManager<S>& manager() const { return *manager_; }

 private:
  SessionManager<S>* manager_;
  MicrohttpdErrorPage page_;
};

}  // namespace sancho
