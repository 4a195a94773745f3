// The site behind a FastCGI server.
#include "sancho/adapters/fastcgi.hpp"

#include <csignal>
#include <iostream>

#include "behind_a_server.hpp"

int main(int argc, char** argv) {
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    static sancho::FastcgiServer* running = nullptr;
    sancho::FastcgiServer server(site::handler(*manager), {.socket = options.socket, .threads = 48});
    running = &server;
    std::signal(SIGTERM, [](int) { running->stop(); });
    server.run();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
