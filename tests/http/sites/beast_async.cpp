// The site behind Beast, with coroutines on one thread.
#include "sancho/adapters/beast_async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <iostream>

#include "beast.hpp"
#include "coroutines.hpp"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

class Server {
 public:
  explicit Server(site::AsyncManager& manager) : manager_(manager), sessions_(manager) {}

  awaitable<void> listen(tcp::acceptor& acceptor) const {
    while (true) {
      auto socket = co_await acceptor.async_accept(use_awaitable);
      // Whatever goes wrong with a connection ends it.
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
      if (request.target() == "/stream")
        more = co_await in_pieces(socket, request, peer);
      else
        more = co_await whole(socket, request, peer);
    }
    socket.shutdown(tcp::socket::shutdown_send);
  }

  awaitable<bool> whole(tcp::socket& socket, const site::Request& request, const sancho::BeastPeer& peer) const {
    auto handler = [&](site::AsyncScope& scope, const site::Request&) -> awaitable<site::Text> {
      const auto page = co_await site::visit(manager_, scope, site::asked(request));
      co_return site::text_of(page);
    };
    auto answer = co_await sessions_.serve(request, peer, handler);
    co_return co_await send(socket, std::move(answer));
  }

  awaitable<bool> in_pieces(tcp::socket& socket, const site::Request& request, const sancho::BeastPeer& peer) const {
    site::Page page;
    auto handler = [&](site::AsyncScope& scope, const site::Request&) -> awaitable<site::Head> {
      page = co_await site::visit(manager_, scope, site::asked(request));
      co_return site::head_of<site::Head>(page);
    };
    auto answer = co_await sessions_.serve_head(request, peer, handler);
    if (auto* complete = std::get_if<http::message_generator>(&answer))
      co_return co_await send(socket, std::move(*complete));
    auto& head = std::get<site::Head>(answer);
    http::response_serializer<http::empty_body> serializer(head);
    co_await http::async_write_header(socket, serializer, use_awaitable);
    asio::steady_timer timer(socket.get_executor());
    for (const auto& piece : site::pieces(page)) {
      const auto chunk = http::make_chunk(asio::buffer(piece));
      co_await asio::async_write(socket, chunk, use_awaitable);
      timer.expires_after(site::Page::pause);
      co_await timer.async_wait(use_awaitable);
    }
    const auto last = http::make_chunk_last();
    co_await asio::async_write(socket, last, use_awaitable);
    co_return head.keep_alive();
  }

  static awaitable<bool> send(tcp::socket& socket, http::message_generator answer) {
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
