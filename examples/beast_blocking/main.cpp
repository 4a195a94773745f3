// # Sessions for Boost.Beast, a thread a connection
//
// Counts visits. Serves http://127.0.0.1:8086/, or another port that its first
// argument names, until it is interrupted. [examples/beast](../beast) logs in and
// out, with coroutines.
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <iostream>
#include <thread>

#include "sancho/adapters/beast.hpp"
#include "sancho/open_store.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

struct VisitorSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response count(VisitorSession& session, const Request&) {
  ++session.visits;
  return {http::status::ok, 11, "Visit number " + std::to_string(session.visits.value()) + "\n"};
}

// Until the client leaves, which Beast tells as an error.
void serve(const sancho::BeastSessions<VisitorSession>& sessions, tcp::socket socket) try {
  const auto peer = sancho::BeastPeer::of(socket.remote_endpoint());
  beast::flat_buffer buffer;
  for (bool more = true; more;) {
    Request request;
    http::read(socket, buffer, request);
    auto answer = sessions.serve(request, peer, count);
    more = answer.keep_alive();
    beast::write(socket, std::move(answer));
  }
  socket.shutdown(tcp::socket::shutdown_send);
} catch (const boost::system::system_error&) {
}

int main(int argc, char** argv) {
  sancho::SessionManager<VisitorSession> manager(sancho::open_store("sqlite:visits.db"),
                                                 {.cookie = sancho::CookieOptions::insecure_dev()});
  const sancho::BeastSessions sessions(manager);
  asio::io_context loop;
  const auto port = static_cast<asio::ip::port_type>(argc > 1 ? std::atoi(argv[1]) : 8086);
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), port});
  std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << "/\n" << std::flush;
  while (true) std::thread(serve, std::cref(sessions), acceptor.accept()).detach();
}
