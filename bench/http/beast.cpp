// # sancho_bench_beast PORT on|off
//
// The site behind Boost.Beast, a thread a connection.
#include "beast.hpp"

#include <iostream>
#include <thread>

#include "sancho/adapters/beast.hpp"

namespace sancho::bench {
namespace {

using Sessions = BeastSessions<SiteSession>;

// Until the client leaves, which Beast tells as an error.
template <class Answer>
void talk(tcp::socket& socket, Answer answer) try {
  boost::beast::flat_buffer buffer;
  for (bool more = true; more;) {
    HttpRequest request;
    http::read(socket, buffer, request);
    http::message_generator response = answer(request);
    more = response.keep_alive();
    boost::beast::write(socket, std::move(response));
  }
} catch (const boost::system::system_error&) {
}

void serve(const Sessions* sessions, tcp::socket socket) {
  socket.set_option(tcp::no_delay(true));
  if (!sessions)
    return talk(socket, [](const HttpRequest& request) {
      return finished(response_of(visit_without_session(target_of(request))), request);
    });
  const auto peer = BeastPeer::of(socket.remote_endpoint());
  talk(socket, [&](const HttpRequest& request) {
    return sessions->serve(request, peer, [](SiteSession& session, const HttpRequest& asked) {
      return response_of(visit(session, target_of(asked)));
    });
  });
}

void serve(const SiteOptions& options) {
  SessionManager<SiteSession> manager(open_memory_store(), site_policy());
  const Sessions sessions(manager);
  asio::io_context loop;
  auto acceptor = listen(loop, options.port);
  while (true) {
    std::thread([&, socket = acceptor.accept()]() mutable {
      serve(options.on ? &sessions : nullptr, std::move(socket));
    }).detach();
  }
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  sancho::bench::serve({argc, argv});
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
