// One test for each row of docs/seed.md: the members of the session package.
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

TEST(Seed, StartRequestOfTheManagerFindsOrMakesTheSession) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto known = shop.start(b), unknown = shop.start(Browser{});
  EXPECT_TRUE(known->user());
  EXPECT_FALSE(unknown->user());
  known.finish(), unknown.finish();
}

TEST(Seed, FinishSuccessfulRequestSaves) {
  Shop shop;
  Browser b;
  auto scope = shop.start(b);
  scope->set_user("ada");
  b.take(shop.sessions.finish_successful_request(scope));
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
}

TEST(Seed, FinishFailedRequestSavesNothing) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto scope = shop.start(b);
  ++scope->visits;
  EXPECT_TRUE(shop.sessions.finish_failed_request(scope).empty());
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.visits.value(), 0); });
}

TEST(Seed, ExpireSessionEndsItNow) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto scope = shop.start(b);
  shop.sessions.expire_session(scope);
  EXPECT_EQ(shop.count(), 0u);
  EXPECT_FALSE(scope->user());
  b.take(scope.finish());
  EXPECT_TRUE(b.jar.empty());
}

TEST(Seed, HasSessionCookieAsksTheStoreOnlyIfItMustExist) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto header = b.header();
  const std::string_view line = header, other = "x=1";
  const Request with{.cookies = {&line, 1}}, without{.cookies = {&other, 1}};
  shop.store->reset();
  EXPECT_TRUE(shop.sessions.has_session_cookie(with));
  EXPECT_FALSE(shop.sessions.has_session_cookie(without));
  EXPECT_FALSE(shop.sessions.has_session_cookie(without, true));
  EXPECT_EQ(shop.store->calls, 0u);
  EXPECT_TRUE(shop.sessions.has_session_cookie(with, true));
  EXPECT_EQ(shop.store->calls, 1u);
  shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_TRUE(shop.sessions.has_session_cookie(with));
  EXPECT_FALSE(shop.sessions.has_session_cookie(with, true));
}

TEST(Seed, RevokeSessionCookieLeavesTheSession) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto before = b;
  shop.visit(b, [&](ShopSession&, auto& scope) { shop.sessions.revoke_session_cookie(scope); });
  EXPECT_TRUE(b.jar.empty());
  auto again = shop.start(before);
  EXPECT_TRUE(again->user());
  again.finish();
}

TEST(Seed, MaintainSessionSavesOrRemoves) {
  Shop shop;
  Browser b;
  {
    auto scope = shop.start(b);
    scope->set("theme", "dark");
    shop.sessions.maintain_session(scope);
    EXPECT_EQ(shop.count(), 1u);
    b.take(scope.finish());
    EXPECT_EQ(shop.store->writes, 1u);  // `finish` does not save again
  }
  auto scope = shop.start(b);
  scope->erase("theme");
  shop.sessions.maintain_session(scope);
  EXPECT_EQ(shop.count(), 0u);
  b.take(scope.finish());
  EXPECT_TRUE(b.jar.empty());
}

TEST(Seed, NewSessionIsWhereTheClassIsChosen) {
  struct Named : Session {
    Named(const SessionContext& c, std::string n) : Session(c), shop_name(std::move(n)) {}
    std::string shop_name;
  };
  struct Manager : SessionManager<Named> {
    using SessionManager<Named>::SessionManager;
    std::unique_ptr<Named> new_session(const SessionContext& c) override { return std::make_unique<Named>(c, "corner shop"); }
  };
  ManualClock clock;
  Manager manager(open_memory_store(clock), {}, {.clock = clock});
  auto scope = manager.start_request({});
  EXPECT_EQ(scope->shop_name, "corner shop");
  scope.finish();
}

TEST(Seed, CheckSessionAddrRefusesAnotherAddress) {
  auto policy = plain_policy();
  policy.check_session_addr = true;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in, {.peer_address = "192.0.2.1"});
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); }, {.peer_address = "192.0.2.1"});
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); }, {.peer_address = "192.0.2.2"});
}

TEST(Seed, DeleteOldSessionsCountsWhatItRemoves) {
  Shop shop;
  Browser a, b;
  shop.visit(a, log_in);
  shop.clock.advance(10min);
  shop.visit(b, log_in);
  EXPECT_EQ(shop.sessions.delete_old_sessions(11min), 0u);
  EXPECT_EQ(shop.sessions.delete_old_sessions(10min), 1u);  // at least so long ago
  EXPECT_EQ(shop.ear.count(EventKind::expired), 1u);
  EXPECT_EQ(shop.count(), 1u);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Seed, IterSessionsSeesEachLiveSession) {
  Shop shop;
  Browser a, b, c;
  for (auto* x : {&a, &b, &c}) shop.visit(*x, log_in);
  shop.visit(c, [](ShopSession&, auto& scope) { scope.expire_session(); });
  std::size_t seen = 0;
  shop.store->scan()->iter_sessions([&](const KeyedRecord& k) { return k.record.subject == "ada" && ++seen; }, Deadline::after(5s));
  EXPECT_EQ(seen, 2u);
}

TEST(Seed, SetupDestroysNothing) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.store->setup();
  shop.store->setup();
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Seed, AStoreSaysWhoMayShareIt) {
  ManualClock clock;
  const auto traits = open_memory_store(clock)->traits();
  EXPECT_TRUE(traits.thread_safe);
  EXPECT_FALSE(traits.multiprocess_safe);
}

TEST(Seed, ASessionIsADictionary) {
  App<Session> app;
  Browser b;
  app.visit(b, [](Session& s) { s.set("n", 1), s.set("word", "two"); });
  app.visit(b, [](Session& s) {
    EXPECT_EQ(s.get<int>("n"), 1);
    EXPECT_EQ(s.get<std::string>("word"), "two");
    EXPECT_EQ(s.get<int>("absent"), std::nullopt);
    EXPECT_TRUE(s.erase("n"));
    EXPECT_FALSE(s.erase("n"));
  });
  app.visit(b, [](Session& s) { EXPECT_FALSE(s.contains("n")); EXPECT_TRUE(s.contains("word")); });
}

}  // namespace
}  // namespace sancho::test
