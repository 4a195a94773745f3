// # An outage, start to end
//
// A store with a breaker and a meter around, an application that goes on serving
// what it can, and a sweeper in a thread of its own. The engine here is a memory
// store that fails on demand.
#include <iostream>
#include <thread>

#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/faulty.hpp"
#include "sancho/decorators/metered.hpp"
#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"
#include "sancho/sweeper.hpp"

struct ShopSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

// Sancho prints nothing by itself.
class Log final : public sancho::Observer {
  void on_event(const sancho::Event& event) override {
    std::cerr << to_string(event.kind) << ' ' << event.handle.text() << ' ' << event.detail << '\n';
  }
};

// One page, as a handler makes it.
std::string page(sancho::RequestScope<ShopSession>& scope) {
  if (!scope.can_read()) return "We cannot see who you are just now.";
  if (scope.can_write()) ++scope->visits;
  return "Hello, " + scope->get_user().value_or("stranger") + (scope.can_write() ? "." : "; changes must wait.");
}

int main() {
  std::shared_ptr<sancho::Faulty> engine = sancho::with_faults(sancho::open_memory_store());

  // What everybody asks: metered outside, so that what the breaker refuses counts.
  std::shared_ptr<sancho::Breaker> breaker = sancho::with_breaker(engine, {
      .call_timeout = std::chrono::seconds(1),
      .failures = 3,
      .on_change = [](const sancho::BreakerChange& change) {
        std::cerr << to_string(change.circuit) << " are " << to_string(change.state) << ": " << change.why << '\n';
      },
  });
  std::shared_ptr<sancho::Metered> store = sancho::with_meter(breaker);

  sancho::Policy policy;
  policy.outage = sancho::Outage::anonymous_pages;
  policy.cookie = sancho::CookieOptions::insecure_dev();
  Log log;
  sancho::SessionManager<ShopSession> sessions(store, policy, {.observer = &log});

  sancho::Sweeper sweeper(sessions);
  std::jthread housekeeping([&](std::stop_token stop) { sweeper.run(stop); });

  std::string cookie;
  const auto visit = [&](const auto& handler) {
    const std::string_view line = cookie;
    auto scope = sessions.start_request({.cookies = {&line, cookie.empty() ? 0u : 1u}, .peer_address = "127.0.0.1"});
    handler(scope);
    for (const auto& [name, value] : scope.finish())
      if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
  };
  visit([](auto& scope) { scope->set_user("ada"); });
  visit([](auto& scope) { std::cout << page(scope) << '\n'; });

  engine->plan({.what = sancho::Fault::What::fail_before});
  for (int i = 0; i < 4; ++i) visit([](auto& scope) { std::cout << page(scope) << '\n'; });
  const bool opened = breaker->state(sancho::Circuit::reads) == sancho::CircuitState::open;
  engine->heal();
  while (breaker->retry_after(sancho::Circuit::reads) > sancho::Duration::zero()) std::this_thread::yield();

  std::string said;
  visit([&](auto& scope) { said = page(scope); });
  std::cout << said << '\n' << sancho::prometheus_text(store->snapshot());
  return opened && said == "Hello, ada." ? 0 : 1;
}
