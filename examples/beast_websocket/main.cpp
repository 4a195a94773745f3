// # A WebSocket that is closed when its session ends
//
// Log in as somebody, open the page in two tabs, log out in one: the other's
// connection is closed within a second, whichever process it was logged out in.
// Serves http://127.0.0.1:8087/, or another port that its first argument names,
// until it is interrupted.
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <iostream>

#include "sancho/adapters/beast_async.hpp"
#include "sancho/adapters/beast_websocket.hpp"
#include "sancho/async/on_executor.hpp"
#include "sancho/form.hpp"
#include "sancho/open_store.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

using Scope = sancho::AsyncRequestScope<sancho::Session>;
using Sessions = sancho::AsyncBeastSessions<sancho::Session>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using Socket = websocket::stream<beast::tcp_stream>;

constexpr const char* script = R"(<ol id="said"></ol><script>
  const said = text => document.getElementById("said").appendChild(document.createElement("li")).textContent = text;
  const socket = new WebSocket(`ws://${location.host}/echo`);
  socket.onopen = () => socket.send("hello");
  socket.onmessage = event => said(event.data);
  socket.onclose = event => said(`closed: ${event.code} ${event.reason}`);
</script>)";

std::string form(sancho::Session& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

Response home(sancho::Session& session) {
  const auto name = session.get_user();
  Response response(http::status::ok, 11);
  response.set(http::field::content_type, "text/html; charset=utf-8");
  response.body() = "<!doctype html><html lang=\"en\"><title>Echo</title>" +
                    (name ? form(session, "/logout", "<button>Log out</button>") + script
                          : form(session, "/login", "<input name=\"name\"><button>Log in</button>"));
  return response;
}

awaitable<Response> page(Scope& scope, const Request& request) {
  const std::string path(request.target());
  if (request.method() != http::verb::post) co_return home(*scope);
  const auto field = [&](const char* name) { return sancho::form_field(request.body(), name).value_or(""); };
  if (!scope->check_csrf_token(field("token"), path)) co_return Response(http::status::forbidden, 11);
  // A real application looks at a password here.
  if (path == "/login" && !field("name").empty()) scope->set_user(field("name"));
  if (path == "/logout") co_await scope.expire_session();
  Response response(http::status::see_other, 11);
  response.set(http::field::location, "/");
  co_return response;
}

// Whoever is logged in may open one. The session is closed when the connection
// stands, so what is needed of it is copied here.
auto who_is_logged_in(std::string& name) {
  return [&](sancho::Session& session, const Request&) -> awaitable<bool> {
    name = session.get_user().value_or("");
    co_return !name.empty();
  };
}

awaitable<void> echo(Socket& socket, sancho::AsyncSessionWatch& watch, const std::string& name) {
  while (true) {
    beast::flat_buffer message;
    co_await socket.async_read(message, use_awaitable);
    if (watch.ended()) co_return;
    watch.used();  // to talk keeps the session from idling out
    const auto answer = name + ": " + beast::buffers_to_string(message.data());
    co_await socket.async_write(asio::buffer(answer), use_awaitable);
  }
}

awaitable<void> open(const Sessions& sessions, const sancho::BeastPeer& peer, beast::tcp_stream stream,
                     const Request& request) {
  std::string name;
  auto opening = co_await sessions.handshake(request, peer, who_is_logged_in(name));
  if (opening.refusal) {
    co_await beast::async_write(stream, std::move(*opening.refusal), use_awaitable);
    co_return;
  }
  stream.expires_never();
  Socket socket(std::move(stream));
  socket.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  socket.set_option(websocket::stream_base::decorator([&](websocket::response_type& head) { opening.put(head); }));
  co_await socket.async_accept(request, use_awaitable);
  sancho::AsyncSessionWatch watch(sessions.manager(), opening.ticket());
  const auto end = co_await sancho::while_session_lasts(socket, echo(socket, watch, name), watch);
  if (end) std::cout << "closed: " << to_string(*end) << "\n" << std::flush;
}

awaitable<void> serve(const Sessions& sessions, beast::tcp_stream stream) {
  const auto peer = sancho::BeastPeer::of(stream.socket().remote_endpoint());
  beast::flat_buffer buffer;
  for (bool more = true; more;) {
    Request request;
    stream.expires_after(std::chrono::seconds(30));
    co_await http::async_read(stream, buffer, request, use_awaitable);
    if (websocket::is_upgrade(request)) co_return co_await open(sessions, peer, std::move(stream), request);
    auto answer = co_await sessions.serve(request, peer, page);
    more = answer.keep_alive();
    co_await beast::async_write(stream, std::move(answer), use_awaitable);
  }
  stream.socket().shutdown(tcp::socket::shutdown_send);
}

awaitable<void> listen(const Sessions& sessions, tcp::acceptor& acceptor) {
  while (true) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(sessions, beast::tcp_stream(std::move(socket))), asio::detached);
  }
}

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  asio::thread_pool threads(4);
  sancho::AsyncSessionManager<sancho::Session> manager(
      sancho::on_executor(sancho::open_store("sqlite:echo.db"), threads.get_executor()), policy);
  const Sessions sessions(manager);

  asio::io_context loop(1);
  asio::signal_set end(loop, SIGINT, SIGTERM);
  end.async_wait([&](auto, auto) { loop.stop(); });
  const auto port = static_cast<asio::ip::port_type>(argc > 1 ? std::atoi(argv[1]) : 8087);
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), port});
  asio::co_spawn(loop, listen(sessions, acceptor), asio::detached);
  std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << "/\n" << std::flush;
  loop.run();
}
