#include "serve.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "sancho/open_store.hpp"
#include "sancho/sweeper.hpp"
#include "shop.hpp"

namespace demo {

namespace {

// Blocks the signals in every thread, so that one thread can wait for them.
sigset_t hold_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Sweeps now and then, until a signal comes.
void wait_and_sweep(const sigset_t& signals, sancho::SessionManagerBase& manager) {
  using std::chrono::nanoseconds, std::chrono::seconds;
  sancho::Sweeper sweeper(manager);
  for (;;) {
    const auto done = sweeper.step();
    if (!done.trouble.empty()) std::cerr << "Sweeping will be tried again: " << done.trouble << '\n';
    const auto wait = std::min<sancho::Duration>(done.next, std::chrono::hours(1));
    const auto whole = std::chrono::floor<seconds>(wait);
    const timespec next{.tv_sec = whole.count(), .tv_nsec = nanoseconds(wait - whole).count()};
    if (sigtimedwait(&signals, nullptr, &next) >= 0) break;
  }
  sweeper.release();
}

httplib::Headers security_headers(const Arguments& arguments) {
  httplib::Headers headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      // Not "no-referrer": that would make browsers send `Origin: null`.
      {"Referrer-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"}};
  if (arguments.behind_https_proxy) headers.emplace("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

void prepare(sancho::HttplibServer& server, const Arguments& arguments) {
  const auto threads = static_cast<std::size_t>(arguments.threads);
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  server.set_default_headers(security_headers(arguments));
  server.set_keep_alive_max_count(100);
  server.set_keep_alive_timeout(2);
  server.set_payload_max_length(64 * 1024);
}

// The port, or nothing if it is not to be had.
std::optional<int> bind(sancho::HttplibServer& server, const Arguments& arguments) {
  if (arguments.port != 0) return server.bind_to_port(arguments.host, arguments.port) ? std::optional(arguments.port) : std::nullopt;
  const int port = server.bind_to_any_port(arguments.host);
  return port > 0 ? std::optional(port) : std::nullopt;
}

}  // namespace

sancho::Policy policy(const Arguments& arguments) {
  sancho::Policy policy;
  policy.name_space = "shop";
  if (!arguments.origin.empty()) policy.origins->own = {arguments.origin};
  if (arguments.behind_https_proxy) policy.proxies.trusted = {"127.0.0.0/8", "::1"};
  else policy.cookie = sancho::CookieOptions::insecure_dev();
  return policy;
}

int serve(const Arguments& arguments) {
  const auto signals = hold_signals();
  sancho::SessionManager<ShopSession> manager(sancho::open_store(arguments.store), policy(arguments));
  sancho::HttplibServer server;
  prepare(server, arguments);
  Shop shop(manager);
  shop.open(server);
  const auto port = bind(server, arguments);
  if (!port) {
    std::cerr << "Cannot listen on " << arguments.host << ", port " << arguments.port << ": is another server there?\n";
    return 1;
  }
  const bool v6 = arguments.host.find(':') != std::string::npos;
  std::cout << "The shop is open: http://" << (v6 ? "[" + arguments.host + "]" : arguments.host) << ':' << *port << "/\n" << std::flush;
  std::atomic<bool> over = false;
  std::jthread keeper([&] {
    wait_and_sweep(signals, manager);
    while (!server.is_running() && !over) std::this_thread::yield();
    server.stop();
  });
  const bool served = server.listen_after_bind();
  over = true;
  if (served) return 0;
  pthread_kill(keeper.native_handle(), SIGTERM);
  return 1;
}

}  // namespace demo
