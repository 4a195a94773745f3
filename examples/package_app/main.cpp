// `package_app [--port N] [--store URI]`: serves the package's test application
// on loopback until SIGINT or SIGTERM.
#include <atomic>
#include <signal.h>

#include <charconv>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "app.hpp"
#include "sancho/open_store.hpp"

namespace {

struct Arguments {
  int port = 8081;
  std::string store = "dir:package_app_sessions";
  bool good = true;
};

bool parse_port(std::string_view text, int& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 0 && port <= 65535;
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc && arguments.good; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) arguments.good = false;
    else if (name == "--port") arguments.good = parse_port(argv[i + 1], arguments.port);
    else if (name == "--store") arguments.store = argv[i + 1];
    else arguments.good = false;
  }
  return arguments;
}

// Blocks SIGINT and SIGTERM in every thread, so that one thread can wait for
// them and stop the server, which then finishes what is in progress.
sigset_t hold_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int serve(const Arguments& arguments) {
  const auto signals = hold_signals();
  sancho::SessionManager<AppSession> manager(sancho::open_store(arguments.store), unguarded_policy());
  sancho::HttplibServer server;
  // A thread serves a connection; one that is kept open keeps its thread.
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(1000);
  add_endpoints(server, manager);

  const char* const host = "127.0.0.1";
  const int port = arguments.port != 0 ? arguments.port : server.bind_to_any_port(host);
  if (arguments.port != 0 ? !server.bind_to_port(host, port) : port < 0) {
    std::cerr << "Port " << port << " is not to be had.\n";
    return 1;
  }
  std::cout << "http://" << host << ':' << port << "/\nA test application with its guards off on purpose.\n" << std::flush;
  std::atomic<bool> over = false;
  std::jthread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    while (!server.is_running() && !over) std::this_thread::yield();
    server.stop();
  });
  const bool served = server.listen_after_bind();
  over = true;
  if (served) return 0;
  pthread_kill(stopper.native_handle(), SIGTERM);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (!arguments.good) {
    std::cerr << "usage: package_app [--port N] [--store URI]\n";
    return 2;
  }
  try {
    return serve(arguments);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
