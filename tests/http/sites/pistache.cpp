// The site behind Pistache.
#include "sancho/adapters/pistache.hpp"

#include <pistache/endpoint.h>

#include <csignal>
#include <iostream>

#include "put.hpp"

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    const sancho::PistacheSessions sessions(*manager);
    auto page =
        sessions.wrap([&](site::Scope& scope, const sancho::PistacheRequest& request, sancho::Response& response) {
          const site::Asked asked{
              .method = request.method(), .path = request.path(), .query = request.query(), .body = request.body()};
          site::put(site::visit(*manager, scope, asked), response);
        });
    Pistache::Http::Endpoint endpoint(Pistache::Address("127.0.0.1", 0));
    endpoint.init(Pistache::Http::Endpoint::options().threads(2).keepaliveTimeout(std::chrono::seconds(2)));
    endpoint.setHandler(
        std::make_shared<sancho::PistacheHandler>(std::move(page), sancho::PistacheOptions{.threads = 16}));
    endpoint.serveThreaded();
    site::tell_port(endpoint.getPort());
    int signal = 0;
    sigwait(&signals, &signal);
    endpoint.shutdown();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
