// # Sessions for Boost.Beast, in one page
//
// Log in, see that it knows you, log out. One thread serves everybody, by
// coroutines; sessions are kept in SQLite, on threads of its own, so they outlive
// the program. Serves http://127.0.0.1:8085/, or another port that its first
// argument names, until it is interrupted.
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <iostream>

#include "sancho/adapters/beast_async.hpp"
#include "sancho/async/on_executor.hpp"
#include "sancho/form.hpp"
#include "sancho/open_store.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::ip::tcp;

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};
using Scope = sancho::AsyncRequestScope<GuestSession>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response text(http::status status, std::string body, const char* type = "text/plain") {
  Response response(status, 11, std::move(body));
  response.set(http::field::content_type, type);
  return response;
}

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

Response home(GuestSession& session) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  const auto body = name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) +
                               "</p>" + form(session, "/logout", "<button>Log out</button>")
                         : form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  return text(http::status::ok, "<!doctype html><html lang=\"en\"><title>Guests</title>" + body + "</html>",
              "text/html; charset=utf-8");
}

awaitable<Response> page(Scope& scope, const Request& request) {
  const std::string path(request.target());
  if (path == "/") co_return home(*scope);
  if (request.method() != http::verb::post) co_return text(http::status::not_found, "There is no such page.\n");
  if (!scope->check_csrf_token(sancho::form_field(request.body(), "token").value_or(""), path))
    co_return text(http::status::forbidden, "Please go back and try again.\n");
  // A real application looks at a password here.
  const auto name = sancho::form_field(request.body(), "name").value_or("");
  if (path == "/login" && is_name(name)) scope->set_user(name);
  if (path == "/logout") co_await scope.expire_session();
  Response response(http::status::see_other, 11);
  response.set(http::field::location, "/");
  co_return response;
}

using Sessions = sancho::AsyncBeastSessions<GuestSession>;

awaitable<void> serve(const Sessions& sessions, beast::tcp_stream stream) {
  const auto peer = sancho::BeastPeer::of(stream.socket().remote_endpoint());
  beast::flat_buffer buffer;
  for (bool more = true; more;) {
    Request request;
    stream.expires_after(std::chrono::seconds(30));
    co_await http::async_read(stream, buffer, request, asio::use_awaitable);
    auto answer = co_await sessions.serve(request, peer, page);
    more = answer.keep_alive();
    co_await beast::async_write(stream, std::move(answer), asio::use_awaitable);
  }
  stream.socket().shutdown(tcp::socket::shutdown_send);
}

// What goes wrong with a connection ends it, and nothing else.
awaitable<void> listen(const Sessions& sessions, tcp::acceptor& acceptor) {
  while (true) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(sessions, beast::tcp_stream(std::move(socket))), asio::detached);
  }
}

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  asio::thread_pool threads(4);
  sancho::AsyncSessionManager<GuestSession> manager(
      sancho::on_executor(sancho::open_store("sqlite:guests.db"), threads.get_executor()), policy);
  const Sessions sessions(manager);

  asio::io_context loop(1);
  asio::signal_set end(loop, SIGINT, SIGTERM);
  end.async_wait([&](auto, auto) { loop.stop(); });
  const auto port = static_cast<asio::ip::port_type>(argc > 1 ? std::atoi(argv[1]) : 8085);
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), port});
  asio::co_spawn(loop, listen(sessions, acceptor), asio::detached);
  std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << "/\n" << std::flush;
  loop.run();
}
