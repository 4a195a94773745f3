// A shop whose requests are served by coroutines.
#pragma once

#include <gtest/gtest.h>

#include <mutex>

#include "../session/support.hpp"
#include "sancho/async/manager.hpp"
#include "slow_store.hpp"

namespace sancho::test {

struct VisitSession : Session {
  using Session::Session;
  Counter visits{*this, "visits"};
  Slot<std::string> note{*this, "note"};
};
using Scope = AsyncRequestScope<VisitSession>;

// Has no cookie. By a name, for g++ 12 destroys some unnamed values twice where
// a coroutine waits.
inline const Browser nobody;

// One that may hear from several threads.
class SafeEar : public Ear {
 public:
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    Ear::on_event(event);
  }

 private:
  std::mutex mutex_;
};

struct AsyncShop {
  explicit AsyncShop(Policy policy = plain_policy(), std::shared_ptr<AsyncSessionStore> other = {})
      : sessions(other ? other : store, std::move(policy), {.clock = clock, .observer = &ear}) {}

  // A request of this browser that has begun.
  awaitable<Scope> start(const Browser& browser) {
    const auto header = browser.header();
    const std::string_view line = header;
    Request request;
    if (!header.empty()) request.cookies = {&line, 1};
    return sessions.start_request(request);  // the request's buffers end here
  }

  // A whole request.
  awaitable<void> visit(Browser& browser, std::function<void(VisitSession&)> handler) {
    auto scope = co_await start(browser);
    handler(*scope);
    const auto lines = co_await scope.finish();
    browser.take(lines);
  }
  // What the browser's session holds, asked without any delay or trouble.
  struct Seen {
    std::string user, note;
    std::int64_t visits = 0;
  };
  awaitable<Seen> look(Browser browser) {
    store->reset();
    auto scope = co_await start(browser);
    Seen seen{scope->get_user().value_or(""), *scope->note, scope->visits.value()};
    scope.abort();
    co_return seen;
  }

  ManualClock clock;
  SafeEar ear;
  std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>(clock);
  AsyncSessionManager<VisitSession> sessions;
};

}  // namespace sancho::test
