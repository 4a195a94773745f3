// # CGI
//
// Sessions for a program that a web server starts for each request and talks to
// by environment variables, standard input and output (RFC 3875):
//
//     int main() {
//       sancho::SessionManager<ShopSession> manager(sancho::open_store("sqlite:/var/lib/shop/sessions.db"), policy);
//       sancho::CgiSessions sessions(manager);
//       return sancho::serve_cgi(
//           sessions.wrap([](ShopSession& session, const sancho::CgiRequest& request, sancho::Response& response) {
//             ++session.visits;
//             response.text(page(session), "text/html; charset=utf-8");
//           }));
//     }
//
// The same handlers are served by FastCGI, which keeps the program running:
// fastcgi.hpp. What a wrapped handler can rely on:
//
//   - An unsafe request from a foreign page is answered with 403 before it; one
//     that brings no JSON, where `Policy::json_only` asks for it, with 415.
//   - The whole body is there. One that broke off never reaches a handler.
//   - What it did is saved, and `Set-Cookie` decided, before the first byte of
//     the response leaves; streamed answers are no exception.
//   - If it throws, nothing is saved but what acted at once (a logout, a
//     consumed form token), and the answer is 500.
//   - If the store is down, the answer is 503 with `Retry-After` and no cookie:
//     nobody is logged out by a store (promise P8).
//
// A process that lives for one request needs a store that outlives it, so not
// `memory:`, and `Policy::pre_session_keys`, or a login form is never good.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/manager.hpp"
#include "sancho/response.hpp"

namespace sancho SANCHO_EXPORT {

// A request as CGI's variables tell it. All views live as long as it does.
class CgiRequest {
 public:
  // `NAME=value` each, the last one followed by a null pointer, as `environ` is;
  // they must outlive this.
  CgiRequest(const char* const* variables, std::string body);

  // The first variable of that name; empty if there is none.
  std::string_view variable(std::string_view name) const;
  std::string_view method() const { return variable("REQUEST_METHOD"); }
  // What comes behind the host, without the query: SCRIPT_NAME and PATH_INFO.
  std::string path() const;
  std::string_view query() const { return variable("QUERY_STRING"); }
  const std::string& body() const { return body_; }

  // A field of the query, or else of a body that is a form
  // (`application/x-www-form-urlencoded`), decoded. The first of several.
  std::optional<std::string> field(std::string_view name) const;

  const char* const* variables() const { return variables_; }

 private:
  const char* const* variables_;
  std::string body_;
};

// What runs for a request, sessions and all: `CgiSessions::wrap` makes it.
using CgiHandler = std::function<void(const CgiRequest&, Response&)>;

// Bodies beyond this many bytes are answered with 413, before any handler.
struct CgiOptions {
  std::size_t max_body = std::size_t{8} << 20;
};

// Serves the one request this process was started for; what `main` returns. The
// response is written to standard output and nothing else may write there.
int serve_cgi(const CgiHandler& handler, const CgiOptions& options = {});

namespace detail {

// Fills `head` from the variables: `HTTP_X_FORWARDED_FOR` is X-Forwarded-For.
void collect(const CgiRequest& request, RequestHead& head);
// The socket's other end speaks to the server in TLS.
bool cgi_https(const CgiRequest& request);

// Reads up to so many bytes; how many there were.
using CgiRead = std::function<std::size_t(char* data, std::size_t size)>;
// Writes all of it; false if nobody listens any more.
using CgiWrite = std::function<bool(std::string_view)>;

// One request from its variables to its last byte.
void serve_one(const char* const* variables, const CgiRead& read, const CgiWrite& write, const CgiHandler& handler,
               const CgiOptions& options);

}  // namespace detail

// Wraps handlers. Any thread may use what it made; the manager must outlive it.
template <class S>
class CgiSessions {
 public:
  using Scope = RequestScope<S>;

  explicit CgiSessions(SessionManager<S>& manager, ErrorPage page = {}) : manager_(&manager), page_(std::move(page)) {}

  // The handler's first argument is a `S&`, or a `RequestScope<S>&` for those
  // that log out or end other sessions. It is good until the handler returns.
  template <SessionHandler<S, const CgiRequest&, Response&> F>
  CgiHandler wrap(F handler) const {
    return [manager = manager_, page = page_, handler = std::move(handler)](const CgiRequest& request,
                                                                            Response& response) {
      RequestHead head(manager->policy(), request.method(), request.variable("REMOTE_ADDR"),
                       detail::cgi_https(request));
      detail::collect(request, head);
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
