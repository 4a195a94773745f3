// The site behind RESTinio.
#include "sancho/adapters/restinio.hpp"

#include <csignal>
#include <iostream>
#include <restinio/http_server_run.hpp>

#include "put.hpp"

namespace {

struct Traits : restinio::default_traits_t {
  using request_handler_t = sancho::RestinioHandler;
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    restinio::asio_ns::thread_pool pool(16);
    const sancho::RestinioSessions sessions(*manager, pool.get_executor());
    auto page =
        sessions.wrap([&](site::Scope& scope, const sancho::RestinioRequest& request, sancho::Response& response) {
          const site::Asked asked{
              .method = request.method(), .path = request.path(), .query = request.query(), .body = request.body()};
          site::put(site::visit(*manager, scope, asked), response);
        });
    int port = 0;
    const auto server = restinio::run_async(
        restinio::own_io_context(),
        restinio::server_settings_t<Traits>()
            .address("127.0.0.1")
            .port(0)
            .read_next_http_message_timelimit(std::chrono::seconds(2))
            .request_handler(std::move(page))
            .acceptor_post_bind_hook([&](auto& acceptor) { port = acceptor.local_endpoint().port(); }),
        2);
    site::tell_port(port);  // it listens by now
    int signal = 0;
    sigwait(&signals, &signal);
    server->stop();
    server->wait();
    pool.join();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
