// The site with coroutines (tests/http/sites), and WebSockets at /talk for who is
// logged in. `ping` is answered with `pong NAME`, and so is `use`, which counts
// as an access. POST /end ends all sessions of the one whose `name` it has.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <iostream>

#include "sancho/adapters/beast_async.hpp"
#include "sancho/adapters/beast_websocket.hpp"
#include "sites/beast.hpp"
#include "sites/coroutines.hpp"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using namespace std::chrono_literals;
using Socket = websocket::stream<tcp::socket>;

class Server {
 public:
  explicit Server(site::AsyncManager& manager) : manager_(manager), sessions_(manager) {}

  awaitable<void> listen(tcp::acceptor& acceptor) const {
    while (true) {
      auto socket = co_await acceptor.async_accept(use_awaitable);
      asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }

 private:
  awaitable<void> serve(tcp::socket socket) const {
    boost::beast::flat_buffer buffer;
    const auto peer = sancho::BeastPeer::of(socket.remote_endpoint());
    for (bool more = true; more;) {
      site::Request request;
      co_await http::async_read(socket, buffer, request, use_awaitable);
      if (websocket::is_upgrade(request)) co_return co_await open(peer, std::move(socket), request);
      auto handler = [&](site::AsyncScope& scope, const site::Request&) { return page(scope, site::asked(request)); };
      auto answer = co_await sessions_.serve(request, peer, handler);
      more = co_await write(socket, std::move(answer));
    }
  }

  awaitable<site::Text> page(site::AsyncScope& scope, site::Asked asked) const {
    site::Page made{.text = "ended"};
    if (asked.path == "/end")
      co_await manager_.end_sessions_of(asked.field("name"));
    else
      made = co_await site::visit(manager_, scope, asked);
    co_return site::text_of(made);
  }

  awaitable<void> open(const sancho::BeastPeer& peer, tcp::socket stream, const site::Request& request) const {
    std::string name;
    auto handler = [&](site::Session& session, const site::Request&) -> awaitable<bool> {
      name = session.get_user().value_or("");
      co_return !name.empty();
    };
    auto opening = co_await sessions_.handshake(request, peer, handler);
    if (opening.refusal) {
      co_await write(stream, std::move(*opening.refusal));
      co_return;
    }
    Socket socket(std::move(stream));
    socket.set_option(websocket::stream_base::decorator([&](websocket::response_type& head) { opening.put(head); }));
    co_await socket.async_accept(request, use_awaitable);
    sancho::AsyncSessionWatch watch(manager_, opening.ticket(), {.outage_limit = 1500ms});
    co_await sancho::while_session_lasts(socket, talk(socket, watch, name), watch);
  }

  static awaitable<void> talk(Socket& socket, sancho::AsyncSessionWatch& watch, const std::string& name) {
    while (true) {
      boost::beast::flat_buffer message;
      co_await socket.async_read(message, use_awaitable);
      if (watch.ended()) co_return;
      if (boost::beast::buffers_to_string(message.data()) == "use") watch.used();
      const auto answer = "pong " + name;
      co_await socket.async_write(asio::buffer(answer), use_awaitable);
    }
  }

  static awaitable<bool> write(tcp::socket& socket, http::message_generator answer) {
    const bool more = answer.keep_alive();
    co_await boost::beast::async_write(socket, std::move(answer), use_awaitable);
    co_return more;
  }

  site::AsyncManager& manager_;
  sancho::AsyncBeastSessions<site::Session> sessions_;
};

void serve(const site::Options& options) {
  asio::thread_pool threads(4);
  const auto manager = site::make_manager(options, threads);
  const Server server(*manager);
  asio::io_context loop(1);
  asio::signal_set end(loop, SIGTERM);
  end.async_wait([&](auto, int) { loop.stop(); });
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0});
  asio::co_spawn(loop, server.listen(acceptor), asio::detached);
  site::tell_port(acceptor.local_endpoint().port());
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(site::Options(argc, argv));
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
