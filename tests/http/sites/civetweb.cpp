// The site behind CivetWeb.
#include "sancho/adapters/civetweb.hpp"

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
    sancho::CivetwebSessions sessions(*manager);
    const char* settings[] = {"listening_ports", "127.0.0.1:0", "num_threads", "64", "enable_keep_alive", "yes", "keep_alive_timeout_ms", "2000",
                              "request_timeout_ms", "10000", "tcp_nodelay", "1", nullptr};
    mg_init_library(0);
    mg_context* server = mg_start(nullptr, nullptr, settings);
    if (!server) throw std::runtime_error("CivetWeb does not start");
    sessions.handle(server, "/**", [&](site::Scope& scope, const sancho::CivetwebRequest& request, sancho::Response& response) {
      const site::Asked asked{.method = request.method(), .path = request.path(), .query = request.query(), .body = request.body()};
      site::put(site::visit(*manager, scope, asked), response);
    });
    mg_server_port ports[1];
    mg_get_server_ports(server, 1, ports);
    site::tell_port(ports[0].port);
    int signal = 0;
    sigwait(&signals, &signal);
    mg_stop(server);
    mg_exit_library();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
