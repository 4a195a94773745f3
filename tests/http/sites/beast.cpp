// The site behind Beast, a thread a connection.
#include "beast.hpp"

#include <boost/asio/signal_set.hpp>

#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

// The connections that are open, so that all end with the program.
class Connections {
 public:
  void add(tcp::socket& socket) {
    const std::lock_guard lock(mutex_);
    open_.insert(&socket);
  }
  void remove(tcp::socket& socket) {
    const std::lock_guard lock(mutex_);
    open_.erase(&socket);
    changed_.notify_all();
  }
  ~Connections() {
    std::unique_lock lock(mutex_);
    boost::system::error_code ignored;
    for (auto* socket : open_) socket->shutdown(tcp::socket::shutdown_both, ignored);
    changed_.wait(lock, [&] { return open_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<tcp::socket*> open_;
};

class Server {
 public:
  explicit Server(site::Manager& manager) : manager_(manager), sessions_(manager) {}

  // Whatever goes wrong with a connection ends it.
  void serve(tcp::socket& socket) const {
    boost::beast::flat_buffer buffer;
    const auto peer = sancho::BeastPeer::of(socket.remote_endpoint());
    for (bool more = true; more;) {
      site::Request request;
      http::read(socket, buffer, request);
      more = request.target() == "/stream" ? in_pieces(socket, request, peer) : whole(socket, request, peer);
    }
  }

 private:
  bool whole(tcp::socket& socket, const site::Request& request, const sancho::BeastPeer& peer) const {
    auto answer = sessions_.serve(request, peer, [&](site::Scope& scope, const site::Request&) {
      return site::text_of(site::visit(manager_, scope, site::asked(request)));
    });
    return send(socket, std::move(answer));
  }

  bool in_pieces(tcp::socket& socket, const site::Request& request, const sancho::BeastPeer& peer) const {
    site::Page page;
    auto answer = sessions_.serve_head(request, peer, [&](site::Scope& scope, const site::Request&) {
      page = site::visit(manager_, scope, site::asked(request));
      return site::head_of<site::Head>(page);
    });
    if (auto* complete = std::get_if<http::message_generator>(&answer)) return send(socket, std::move(*complete));
    auto& head = std::get<site::Head>(answer);
    http::response_serializer<http::empty_body> serializer(head);
    http::write_header(socket, serializer);
    for (const auto& piece : site::pieces(page)) {
      asio::write(socket, http::make_chunk(asio::buffer(piece)));
      std::this_thread::sleep_for(site::Page::pause);
    }
    asio::write(socket, http::make_chunk_last());
    return head.keep_alive();
  }

  static bool send(tcp::socket& socket, http::message_generator answer) {
    const bool more = answer.keep_alive();
    boost::beast::write(socket, std::move(answer));
    return more;
  }

  site::Manager& manager_;
  sancho::BeastSessions<site::Session> sessions_;
};

void serve(const site::Options& options) {
  const auto manager = site::make_manager(options);
  const Server server(*manager);
  Connections connections;
  asio::io_context loop;
  asio::signal_set end(loop, SIGTERM);
  end.async_wait([&](auto, int) { loop.stop(); });
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0});
  const std::function<void()> accept = [&] {
    acceptor.async_accept([&](const boost::system::error_code& error, tcp::socket made) {
      if (error) return;
      const auto socket = std::make_shared<tcp::socket>(std::move(made));
      connections.add(*socket);
      std::thread([&, socket] {
        try {
          server.serve(*socket);
        } catch (const boost::system::system_error&) {
        }
        boost::system::error_code ignored;
        socket->shutdown(tcp::socket::shutdown_both, ignored);
        connections.remove(*socket);
      }).detach();
      accept();
    });
  };
  accept();
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
