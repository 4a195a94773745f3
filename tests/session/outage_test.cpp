// The three outage policies (P8): what is served while the store is out of
// order, and what is never done.
#include <gtest/gtest.h>

#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/faulty.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

using Scope = RequestScope<ShopSession>;

constexpr Outage all_policies[] = {Outage::fail_closed, Outage::read_only, Outage::anonymous_pages};
constexpr Outage lenient_policies[] = {Outage::read_only, Outage::anonymous_pages};
constexpr StoreVerb writing[] = {StoreVerb::create, StoreVerb::commit, StoreVerb::touch, StoreVerb::erase};

// An application over a breaker over a store that fails on demand.
struct Troubled {
  explicit Troubled(Outage outage, Policy policy = plain_policy(), bool breaker = false) {
    policy.outage = outage;
    policy.store_timeout = 200ms;  // how long a lost answer is sent again
    std::shared_ptr<SessionStore> store = faulty;
    if (breaker) store = with_breaker(faulty, {.failures = 1, .clock = steady});
    sessions.emplace(store, policy, ManagerOptions{.clock = clock, .observer = &ear});
  }
  RequestScope<ShopSession> start(const Browser& browser, std::string_view method = "GET") {
    const auto header = browser.header();
    const std::string_view line = header;
    Request request{.method = method};
    if (!header.empty()) request.cookies = {&line, 1};
    return sessions->start_request(request);
  }
  template <class Handler>
  HeaderLines visit(Browser& browser, Handler handler) {
    auto scope = start(browser);
    if constexpr (std::invocable<Handler, ShopSession&>) handler(*scope);
    else handler(scope);
    auto lines = scope.finish();
    browser.take(lines);
    return lines;
  }
  void down(Trouble kind = Trouble::unavailable) { faulty->plan({.kind = kind}); }
  void no_writes(Trouble kind = Trouble::unavailable) {
    for (const auto verb : writing) faulty->plan({.verb = verb, .kind = kind});
  }
  std::size_t count() {
    faulty->heal();
    return faulty->scan()->count(Deadline::after(1min));
  }

  ManualClock clock;
  ManualSteadyClock steady;
  Ear ear;
  std::shared_ptr<Faulty> faulty = with_faults(open_memory_store(clock));
  std::optional<SessionManager<ShopSession>> sessions;
};

bool sets_cookie(const HeaderLines& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.name == "Set-Cookie"; });
}

// ## Fail closed

TEST(Outages, ByDefaultWhatCannotBeReadIsNotServed) {
  Troubled app(Policy{}.outage);
  Browser b;
  app.visit(b, log_in);
  app.down();
  for (const auto* method : {"GET", "HEAD", "POST"})
    EXPECT_EQ(trouble([&] { app.start(b, method); }), Trouble::unavailable) << method;
  EXPECT_EQ(app.ear.count(EventKind::store_unavailable), 3u);
}

// ## Read only

TEST(Outages, ReadOnlyServesWhatChangesNothingAndSkipsItsUpkeep) {
  for (const auto outage : lenient_policies) {
    auto policy = plain_policy();
    policy.renewal = 10min;
    Troubled app(outage, policy, true);
    Browser b;
    app.visit(b, [](ShopSession& s) { s.set_user("ada"), s.flash("hello"); });
    app.no_writes();
    EXPECT_TRUE(trouble([&] { app.visit(b, [](ShopSession& s) { ++s.visits; }); }));  // opens the circuit
    app.clock.advance(20min);  // a touch and a new id are due
    const auto before = b.jar;
    const auto asked = app.faulty->calls();
    const auto lines = app.visit(b, [](Scope& scope) {
      EXPECT_TRUE(scope.outage());
      EXPECT_TRUE(scope.can_read());
      EXPECT_FALSE(scope.can_write());
      EXPECT_EQ(scope->get_user(), "ada");
      EXPECT_EQ(scope->take_flashes(), std::vector<std::string>{"hello"});
    });
    EXPECT_TRUE(lines.empty());
    EXPECT_EQ(b.jar, before);
    EXPECT_EQ(app.faulty->calls() - asked, 1u);
    EXPECT_EQ(app.ear.count(EventKind::served_read_only), 1u);
    EXPECT_EQ(app.ear.count(EventKind::touch_failed), 0u);
    // Nobody is the worse for it.
    app.faulty->heal();
    app.steady.advance(1min);
    app.visit(b, [](Scope& scope) {
      EXPECT_TRUE(scope.can_write());  // or no request would ever probe
      EXPECT_EQ(scope->take_flashes(), std::vector<std::string>{"hello"});
    });
    app.visit(b, [](Scope& scope) { EXPECT_FALSE(scope.outage()); });
    EXPECT_EQ(app.ear.count(EventKind::rotated), 1u);
  }
}

TEST(Outages, ReadOnlyFailsAtItsEndWhatWantsToWrite) {
  const std::function<void(Scope&)> writers[] = {
      [](Scope& s) { ++s->visits; },
      [](Scope& s) { s->flash("hello"); },
      [](Scope& s) { s->create_form_token(); },
      [](Scope& s) { s->set_user("bob"); },
      [](Scope& s) { s->reauthenticated(); },
      [](Scope& s) { s->renew_id(); },
  };
  for (const auto outage : lenient_policies)
    for (const auto& write : writers) {
      Troubled app(outage);
      Browser b;
      app.visit(b, log_in);
      app.no_writes();
      auto scope = app.start(b);
      write(scope);
      EXPECT_EQ(trouble([&] { scope.finish(); }), Trouble::unavailable);
      EXPECT_TRUE(scope.abort().empty());
      EXPECT_EQ(app.count(), 1u);
      app.visit(b, [](ShopSession& s) {
        EXPECT_EQ(s.get_user(), "ada");
        EXPECT_FALSE(s.visits.present());
      });
    }
}

// Without a breaker nothing is known beforehand; it is found out.
TEST(Outages, UpkeepThatFailsIsLeftToTheNextRequest) {
  for (const auto outage : all_policies) {
    Troubled app(outage);
    Browser b;
    app.visit(b, log_in);
    app.clock.advance(10min);
    app.no_writes(Trouble::full);
    app.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
    EXPECT_EQ(app.ear.count(EventKind::touch_failed), 1u);
  }
}

TEST(Outages, AMessageThatWasShownIsShownAgainUnlessThePolicyFailsClosed) {
  for (const auto outage : all_policies) {
    Troubled app(outage);
    Browser b;
    app.visit(b, [](ShopSession& s) { s.set_user("ada"), s.flash("hello"); });
    app.no_writes();
    const auto shown = trouble([&] { app.visit(b, [](ShopSession& s) { s.take_flashes(); }); });
    EXPECT_EQ(shown.has_value(), outage == Outage::fail_closed);
    app.faulty->heal();
    app.visit(b, [](ShopSession& s) { EXPECT_EQ(s.take_flashes().size(), 1u); });
  }
}

TEST(Outages, AWriteThatFailedIsKnownToTheRestOfItsRequest) {
  Troubled app(Outage::read_only);
  Browser b;
  std::string token;
  app.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  app.no_writes();
  auto scope = app.start(b, "POST");
  EXPECT_TRUE(scope.can_write());
  EXPECT_EQ(trouble([&] { scope->consume_form_token(token); }), Trouble::unavailable);
  EXPECT_FALSE(scope.can_write());
  scope.abort();
  app.faulty->heal();
  app.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.consume_form_token(token)); });
}

// ## Pages without their session

TEST(Outages, ASafeRequestIsServedAsAVisitorsAndTouchesNoCookie) {
  for (const auto* method : {"GET", "HEAD"})
    for (const auto kind : {Trouble::unavailable, Trouble::contention, Trouble::in_doubt, Trouble::full}) {
      Troubled app(Outage::anonymous_pages);
      Browser b;
      app.visit(b, log_in);
      const auto before = b.jar;
      app.down(kind);
      auto scope = app.start(b, method);
      EXPECT_TRUE(scope.outage());
      EXPECT_FALSE(scope.can_read());
      EXPECT_FALSE(scope.can_write());
      EXPECT_FALSE(scope->user());
      EXPECT_FALSE(scope->has_info());
      EXPECT_TRUE(scope->take_flashes().empty());
      const auto lines = scope.finish();
      EXPECT_FALSE(sets_cookie(lines));
      EXPECT_EQ(lines, (HeaderLines{{"Cache-Control", "no-store"}, {"Vary", "Cookie"}}));
      EXPECT_EQ(app.ear.count(EventKind::served_anonymous), 1u);
      EXPECT_EQ(app.ear.count(EventKind::unknown_id), 0u);
      app.faulty->heal();
      app.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
      EXPECT_EQ(b.jar, before);
    }
}

TEST(Outages, AnUnsafeRequestAndAStoreThatRefusesFailClosed) {
  Troubled app(Outage::anonymous_pages);
  Browser b;
  app.visit(b, log_in);
  app.down();
  for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "get", "OPTIONS", ""})
    EXPECT_EQ(trouble([&] { app.start(b, method); }), Trouble::unavailable) << method;
  app.faulty->heal();
  app.down(Trouble::refused);
  EXPECT_EQ(trouble([&] { app.start(b); }), Trouble::refused);
}

TEST(Outages, WhatAPageWithoutItsSessionWouldWriteFailsAtItsEnd) {
  const std::function<void(ShopSession&)> writers[] = {
      [](ShopSession& s) { ++s.visits; },         [](ShopSession& s) { s.set("a", 1); },
      [](ShopSession& s) { s.flash("hello"); },   [](ShopSession& s) { s.create_form_token(); },
      [](ShopSession& s) { s.set_user("bob"); },  [](ShopSession& s) { s.renew_id(); },
  };
  for (const auto& write : writers) {
    Troubled app(Outage::anonymous_pages);
    Browser b;
    app.visit(b, log_in);
    app.down();
    auto scope = app.start(b);
    app.faulty->heal();  // even if the store is back by then: whose would it be?
    write(*scope);
    EXPECT_EQ(trouble([&] { scope.finish(); }), Trouble::unavailable);
    EXPECT_FALSE(sets_cookie(scope.abort()));
    EXPECT_EQ(app.count(), 1u);
    app.visit(b, [](ShopSession& s) {
      EXPECT_EQ(s.get_user(), "ada");
      EXPECT_FALSE(s.visits.present());
    });
  }
}

TEST(Outages, NothingActsAtOnceInAPageWithoutItsSession) {
  Troubled app(Outage::anonymous_pages);
  Browser b;
  std::string token;
  app.visit(b, [&](ShopSession& s) { s.set_user("ada"), token = s.create_form_token(); });
  app.down();
  auto scope = app.start(b);
  app.faulty->heal();
  EXPECT_EQ(trouble([&] { scope->consume_form_token(token); }), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { scope.expire_session(); }), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { scope.revoke_session_cookie(); }), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { scope.sessions(); }), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { scope.end_other_sessions(); }), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { scope.end_session(Handle::draw(system_random())); }), Trouble::unavailable);
  EXPECT_FALSE(sets_cookie(scope.finish()));
  app.visit(b, [&](ShopSession& s) {
    EXPECT_EQ(s.get_user(), "ada");
    EXPECT_TRUE(s.consume_form_token(token));
  });
}

TEST(Outages, APageWithoutItsSessionHasNoTokenThatClaimsToWork) {
  Troubled app(Outage::anonymous_pages);
  Browser b;
  std::string good;
  app.visit(b, [](ShopSession& s) { s.csrf_token(); });  // a pre-session cookie
  app.visit(b, [&](ShopSession& s) { s.set_user("ada"); good = s.csrf_token("form"); });
  app.down();
  auto scope = app.start(b);
  EXPECT_EQ(scope->csrf_token("form"), "");
  EXPECT_FALSE(scope->check_csrf_token(good, "form"));
  EXPECT_FALSE(sets_cookie(scope.finish()));  // nor a pre-session
  app.faulty->heal();
  app.visit(b, [&](ShopSession& s) {
    EXPECT_FALSE(s.check_csrf_token("", "form"));
    EXPECT_TRUE(s.check_csrf_token(good, "form"));
  });
}

TEST(Outages, WhoHasNoCookieNeedsNoStoreAndIsNoOutage) {
  for (const auto outage : all_policies) {
    Troubled app(outage);
    app.down();
    Browser b;
    app.visit(b, [](Scope& scope) {
      EXPECT_TRUE(scope.can_read());
      EXPECT_FALSE(scope->csrf_token().empty());
    });
    EXPECT_TRUE(app.ear.heard.empty());
  }
}

// ## Every call may fail, and none logs anybody out
//
// A request with several store calls; the n-th of them, and all after it, fail
// in one of three ways. Then the store is well again, and the visitor comes back
// with what the browser has: still the same user, and what was written is there
// once if the request returned, and not at all if it failed, unless it said that
// nobody can tell.
struct Step {
  const char* name;
  std::function<void(ShopSession&)> act;
  long adds;
};

void every_nth_call(Outage outage, Fault::What what, bool stays_down, const Step& step) {
  auto policy = plain_policy();
  policy.renewal = 10min;
  std::uint64_t n = 1;
  for (bool failed_somewhere = true; failed_somewhere; ++n) {
    SCOPED_TRACE(std::string(step.name) + ", policy " + std::to_string(static_cast<int>(outage)) + ", call " + std::to_string(n));
    Troubled app(outage, policy);
    Browser b;
    app.visit(b, [](ShopSession& s) { s.set_user("ada"); s.visits += 10; });
    app.clock.advance(11min);  // this request rotates, too
    app.faulty->heal();
    app.faulty->plan({.what = what, .at = n, .times = stays_down ? 1'000'000u : 1u});
    const auto before = b.jar;
    std::optional<Trouble> kind;
    bool blind = false;
    HeaderLines lines;
    {
      std::optional<RequestScope<ShopSession>> scope;
      try {
        const auto header = b.header();
        const std::string_view line = header;
        scope.emplace(*app.sessions, Request{.cookies = {&line, 1}});
        blind = !scope->can_read();
        step.act(**scope);
        lines = scope->finish();
      } catch (const StoreError& e) {
        kind = e.kind();
        if (scope) lines = scope->abort();
      }
    }
    failed_somewhere = app.faulty->injected() > 0;
    EXPECT_FALSE((kind || blind) && sets_cookie(lines));
    for (const auto& line : lines) EXPECT_EQ(line.value.find("Max-Age=0"), std::string::npos);
    EXPECT_TRUE(!kind || kind == Trouble::unavailable || kind == Trouble::in_doubt) << to_string(*kind);
    EXPECT_FALSE(blind && outage != Outage::anonymous_pages);
    b.take(lines);
    app.faulty->heal();
    // Those who came away with a new id and those who never got it.
    Browser old;
    old.jar = before;
    for (auto* who : {&b, &old}) {
      app.visit(*who, [&](ShopSession& s) {
        EXPECT_EQ(s.get_user(), "ada");
        const auto value = s.visits.value();
        const bool may = kind == Trouble::in_doubt || !(kind || blind), must_not = kind == Trouble::in_doubt || kind || blind;
        EXPECT_TRUE((must_not && value == 10) || (may && value == 10 + step.adds)) << value;
      });
    }
    EXPECT_EQ(app.count(), 1u);
  }
  EXPECT_GT(n, 2u);
}

TEST(Outages, WhateverCallFailsNobodyIsLoggedOutAndNoWriteIsLostOrDoubled) {
  const Step steps[] = {
      {"a reader", [](ShopSession&) {}, 0},
      {"a writer", [](ShopSession& s) { ++s.visits; }, 1},
      {"a renewal", [](ShopSession& s) { s.renew_id(), ++s.visits; }, 1},
  };
  for (const auto outage : all_policies)
    for (const auto& step : steps) {
      for (const auto what : {Fault::What::fail_before, Fault::What::drop_answer}) every_nth_call(outage, what, false, step);
      every_nth_call(outage, Fault::What::fail_before, true, step);
    }
}

// A write whose answer was lost is sent again. That the second copy was refused
// says nothing of the first.
TEST(Outages, ALostAnswerAndThenNoStoreIsInDoubtAndNotUndone) {
  for (const auto outage : all_policies) {
    Troubled app(outage);
    Browser b;
    app.visit(b, [](ShopSession& s) { s.visits += 10; });
    app.faulty->plan({.what = Fault::What::drop_answer, .verb = StoreVerb::commit, .at = 1});
    app.faulty->plan({.what = Fault::What::fail_before, .verb = StoreVerb::commit, .at = 2, .times = 1000});
    auto scope = app.start(b);
    ++scope->visits;
    EXPECT_EQ(trouble([&] { scope.finish(); }), Trouble::in_doubt);
    app.faulty->heal();
    app.visit(b, [](ShopSession& s) { EXPECT_EQ(s.visits.value(), 11); });
  }
}

TEST(Outages, ThePolicysDocumentSaysWhatHappens) {
  Policy policy;
  EXPECT_NE(policy.describe().find("| requests while the store is out of order | refused |  |"), std::string::npos);
  policy.outage = Outage::anonymous_pages;
  EXPECT_NE(policy.describe().find("| requests while the store is out of order | served, pages without their session | default: refused |"), std::string::npos);
}

}  // namespace
}  // namespace sancho::test
