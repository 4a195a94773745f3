// Requests that are cancelled, at every step.
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// What a request does, and how one sees afterwards whether it was done.
struct Deed {
  const char* name;
  std::function<void(VisitSession&)> prepare;
  std::function<awaitable<void>(Scope&)> act;
  std::function<awaitable<bool>(AsyncShop&, const Browser&)> done;
};
void PrintTo(const Deed& deed, std::ostream* out) { *out << deed.name; }

std::string token;  // of the form that was prepared

awaitable<void> save(Scope& scope) {
  ++scope->visits;
  co_await scope.finish();
}
awaitable<void> log_in(Scope& scope) {
  scope->set_user("ada");
  co_await scope.finish();
}
awaitable<void> log_out(Scope& scope) {
  co_await scope.expire_session();
  co_await scope.finish();
}
awaitable<void> consume(Scope& scope) {
  const auto claim = co_await scope.consume_form_token(token);
  EXPECT_TRUE(claim);
  scope.abort();
}
awaitable<void> renew(Scope& scope) {
  ++scope->visits;
  scope->renew_id();
  co_await scope.finish();
}

awaitable<bool> counted_twice(AsyncShop& shop, const Browser& b) {
  const auto seen = co_await shop.look(b);
  EXPECT_TRUE(seen.visits == 1 || seen.visits == 2) << seen.visits;
  co_return seen.visits == 2;
}
// The browser never got the new cookie: what it sees is that the old id is dead.
awaitable<bool> old_id_ended(AsyncShop& shop, const Browser& b) {
  const auto seen = co_await shop.look(b);
  EXPECT_EQ(seen.user, "");
  co_return seen.visits != 1;
}
awaitable<bool> nobody_there(AsyncShop& shop, const Browser& b) {
  const auto seen = co_await shop.look(b);
  co_return seen.user.empty();
}
awaitable<bool> token_gone(AsyncShop& shop, const Browser& b) {
  shop.store->reset();
  auto scope = co_await shop.start(b);
  const bool there = scope->has_form_token(token);
  scope.abort();
  co_return !there;
}

const Deed deeds[] = {
    {"Saving", [](VisitSession& s) { ++s.visits; }, save, counted_twice},
    {"LoggingIn", [](VisitSession& s) { ++s.visits; }, log_in, old_id_ended},
    {"LoggingOut", [](VisitSession& s) { s.set_user("ada"); }, log_out, nobody_there},
    {"Consuming", [](VisitSession& s) { token = s.create_form_token(); }, consume, token_gone},
    {"RenewingTheId", [](VisitSession& s) { ++s.visits; }, renew, counted_twice},
};

struct Cut {
  std::string how;
  std::optional<Step> at;  // nothing: it had ended before
};

class Cancellation : public testing::TestWithParam<Deed> {
 protected:
  // Plays the deed and cancels it at the n-th call of the store, before or after
  // that has done its work. `hang` is what the call does from then on.
  Cut play(int n, bool before, awaitable<void> (*hang)()) {
    AsyncShop shop;
    Browser b;
    Cut cut;
    bool done = false, no_cookie = true;
    run([&]() -> awaitable<void> {
      co_await shop.visit(b, GetParam().prepare);
      const auto executor = co_await asio::this_coro::executor;
      asio::cancellation_signal stop;
      shop.store->reset();
      SlowStore::Hook hook = [&](Step step, int call) -> awaitable<void> {
        if (call != n) co_return;
        cut.at = step;
        asio::post(executor, [&] { stop.emit(asio::cancellation_type::terminal); });
        co_await hang();
      };
      (before ? shop.store->before : shop.store->after) = std::move(hook);
      auto request = [&]() -> awaitable<void> {
        auto scope = co_await shop.start(b);
        std::exception_ptr trouble;
        try {
          co_await GetParam().act(scope);
        } catch (...) {
          trouble = std::current_exception();
        }
        for (const auto& line : scope.abort()) no_cookie = no_cookie && line.name != "Set-Cookie";
        if (trouble) std::rethrow_exception(trouble);
      };
      auto ended = [&](std::exception_ptr trouble) { cut.how = test::how(trouble); };
      asio::co_spawn(executor, request(), asio::bind_cancellation_slot(stop.slot(), ended));
      while (cut.how.empty()) co_await yield();
      done = co_await GetParam().done(shop, b);
    }());
    // It is never said that something was done, or was not done, that was not so.
    if (cut.how == "done") {
      EXPECT_TRUE(done);
    } else if (cut.how == "cancelled") {
      EXPECT_FALSE(done);
      EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 0u);
    } else {
      EXPECT_EQ(cut.how, "in_doubt");
    }
    EXPECT_TRUE(no_cookie || cut.how == "done");
    EXPECT_TRUE(!cut.at || !writes(*cut.at) || cut.how == "in_doubt") << cut.how;
    EXPECT_EQ(shop.ear.count(EventKind::unfinished), 0u);
    return cut;
  }

  void at_every_step(awaitable<void> (*hang)()) {
    bool cancelled = false, in_doubt = false;
    for (const bool before : {true, false}) {
      for (int n = 1; n < 50; ++n) {
        SCOPED_TRACE((before ? "before call " : "after call ") + std::to_string(n));
        const auto cut = play(n, before, hang);
        if (!cut.at) {
          EXPECT_GT(n, 2) << "a deed that asks the store nothing proves nothing";
          break;
        }
        cancelled = cancelled || cut.how == "cancelled";
        in_doubt = in_doubt || cut.how == "in_doubt";
      }
    }
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(in_doubt);
  }
};

TEST_P(Cancellation, AtWhateverStepNothingUntrueIsSaid) { at_every_step(for_ever); }
TEST_P(Cancellation, AStoreThatDoesNotStopHoldsNobodyUp) { at_every_step(deaf_for_ever); }

INSTANTIATE_TEST_SUITE_P(Of, Cancellation, testing::ValuesIn(deeds),
                         [](const auto& test) { return std::string(test.param.name); });

// What is not asked for any more is no outage.
TEST(AsyncCancellation, ACancelledRequestIsNotServedAsAPageWithoutItsSession) {
  auto policy = plain_policy();
  policy.outage = Outage::anonymous_pages;
  AsyncShop shop(policy);
  Browser b;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    shop.store->before = [&](Step, int) -> awaitable<void> {
      asio::post(executor, [&] { stop.emit(asio::cancellation_type::terminal); });
      co_await for_ever();
    };
    std::string ended;
    auto beginning = shop.start(b);
    auto note = [&](std::exception_ptr trouble, Scope) { ended = how(trouble); };
    asio::co_spawn(executor, std::move(beginning), asio::bind_cancellation_slot(stop.slot(), note));
    while (ended.empty()) co_await yield();
    EXPECT_EQ(ended, "cancelled");
  }());
  EXPECT_EQ(shop.ear.count(EventKind::served_anonymous), 0u);
}

TEST(AsyncCancellation, ARenewalThatIsCutOffIsLeftToTheNextRequest) {
  auto policy = plain_policy();
  policy.renewal = 1h;
  policy.limits.idle = 2h;
  AsyncShop shop(policy);
  Browser b;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    shop.clock.advance(61min);
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    shop.store->before = [&](Step step, int) -> awaitable<void> {
      if (step != Step::commit) co_return;
      asio::post(executor, [&] { stop.emit(asio::cancellation_type::terminal); });
      co_await for_ever();
    };
    std::string ended;
    auto note = [&](std::exception_ptr trouble) { ended = how(trouble); };
    auto request = shop.visit(b, [](VisitSession& s) { EXPECT_EQ(s.visits.value(), 1); });
    const auto before = b.jar;
    asio::co_spawn(executor, std::move(request), asio::bind_cancellation_slot(stop.slot(), note));
    while (ended.empty()) co_await yield();
    EXPECT_EQ(ended, "done");
    EXPECT_EQ(b.jar, before);
    shop.store->reset();
    co_await shop.visit(b, [](VisitSession& s) { EXPECT_EQ(s.visits.value(), 1); });
    EXPECT_NE(b.jar, before);
  }());
  EXPECT_EQ(shop.ear.count(EventKind::touch_failed), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::rotated), 1u);
}

TEST(AsyncCancellation, EndingSessionsThatIsCutOffSaysThatSomeMayHaveEnded) {
  AsyncShop shop;
  Browser phone, desk;
  for (const auto at : {Step::set_epoch, Step::find, Step::commit}) {
    run([&]() -> awaitable<void> {
      shop.store->reset();
      for (auto* b : {&phone, &desk}) co_await shop.visit(*b, [](VisitSession& s) { s.set_user("ada"); });
      const auto executor = co_await asio::this_coro::executor;
      asio::cancellation_signal stop;
      shop.store->before = [&](Step step, int) -> awaitable<void> {
        if (step != at) co_return;
        asio::post(executor, [&] { stop.emit(asio::cancellation_type::terminal); });
        co_await for_ever();
      };
      std::string ended;
      auto note = [&](std::exception_ptr trouble, std::size_t) { ended = how(trouble); };
      auto ending = shop.sessions.end_sessions_of("ada");
      asio::co_spawn(executor, std::move(ending), asio::bind_cancellation_slot(stop.slot(), note));
      while (ended.empty()) co_await yield();
      EXPECT_EQ(ended, "in_doubt");
      shop.store->reset();
      const auto now = co_await shop.sessions.end_sessions_of("ada");
      EXPECT_EQ(now, 2u);
    }());
  }
}

}  // namespace
}  // namespace sancho::test
