// # sancho_bench_beast_async PORT on|off
//
// The site behind Boost.Beast, coroutines on one thread. The store is a blocking
// one on a thread of its own, as any blocking store is for coroutines.
#include "sancho/adapters/beast_async.hpp"

#include <iostream>

#include "beast.hpp"
#include "sancho/async/on_executor.hpp"

namespace sancho::bench {
namespace {

using asio::awaitable;
using asio::use_awaitable;
using Sessions = AsyncBeastSessions<SiteSession>;
using Scope = AsyncRequestScope<SiteSession>;

awaitable<HttpResponse> page(Scope& scope, const HttpRequest& request) {
  co_return response_of(visit(*scope, target_of(request)));
}

awaitable<bool> send(tcp::socket& socket, http::message_generator response) {
  const bool more = response.keep_alive();
  co_await boost::beast::async_write(socket, std::move(response), use_awaitable);
  co_return more;
}

// Until the client leaves, which Beast tells as an error.
awaitable<void> serve(const Sessions* sessions, tcp::socket socket) {
  socket.set_option(tcp::no_delay(true));
  boost::beast::flat_buffer buffer;
  const auto peer = BeastPeer::of(socket.remote_endpoint());
  for (bool more = true; more;) {
    HttpRequest request;
    co_await http::async_read(socket, buffer, request, use_awaitable);
    if (sessions) {
      auto response = co_await sessions->serve(request, peer, page);
      more = co_await send(socket, std::move(response));
    } else {
      more = co_await send(socket, finished(response_of(visit_without_session(target_of(request))), request));
    }
  }
}

awaitable<void> accept(const Sessions* sessions, tcp::acceptor& acceptor) {
  while (true) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(sessions, std::move(socket)), asio::detached);
  }
}

void serve(const SiteOptions& options) {
  asio::thread_pool threads(1);
  AsyncSessionManager<SiteSession> manager(on_executor(open_memory_store(), threads.get_executor()), site_policy());
  const Sessions sessions(manager);
  asio::io_context loop(1);
  auto acceptor = listen(loop, options.port);
  asio::co_spawn(loop, accept(options.on ? &sessions : nullptr, acceptor), asio::detached);
  loop.run();
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  sancho::bench::serve({argc, argv});
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
