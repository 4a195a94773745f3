// Handshakes of connections that stay.
#include "sancho/handshake.hpp"

#include "shop.hpp"

namespace sancho::test {
namespace {

Policy outage_policy(Outage outage) {
  auto policy = plain_policy();
  policy.outage = outage;
  return policy;
}

struct Opening : testing::Test {
  Browser browser;

  // From one of our own pages, if nothing else is said.
  template <class Handler>
  Handshake shake(Shop& shop, Handler handler, Request request = {.sec_fetch_site = "same-origin"}) {
    const auto header = browser.header();
    const std::string_view line = header;
    if (!header.empty()) request.cookies = {&line, 1};
    auto handshake = sancho::handshake(shop.sessions, request, handler);
    browser.take(handshake.answer.lines);
    return handshake;
  }
  static bool logged_in(RequestScope<ShopSession>& scope) { return scope->get_user().has_value(); }
};

TEST_F(Opening, WhoIsLoggedInGetsATicketAndTheLinesOfTheirSession) {
  Shop shop;
  shop.visit(browser, log_in);
  const auto quiet = shake(shop, logged_in);
  EXPECT_FALSE(quiet.refused());
  EXPECT_EQ(quiet.ticket->subject(), "ada");
  EXPECT_TRUE(quiet.answer.lines.empty());
  const auto renewed = shake(shop, [](RequestScope<ShopSession>& scope) { return scope->renew_id(), true; });
  EXPECT_EQ(renewed.answer.lines.front().name, "Set-Cookie");
  EXPECT_EQ(renewed.ticket->handle(), quiet.ticket->handle());
}

TEST_F(Opening, WhoHasNoSessionOrIsNotWantedIsRefused) {
  Shop shop;
  const auto stranger = shake(shop, [](auto&) { return true; });
  EXPECT_EQ(stranger.answer.status, 403);
  EXPECT_NE(stranger.text().find("no session"), std::string_view::npos);
  EXPECT_FALSE(stranger.ticket);
  shop.visit(browser, [](ShopSession& s) { ++s.visits; });
  const auto visitor = shake(shop, logged_in);
  EXPECT_EQ(visitor.answer.status, 403);
  EXPECT_FALSE(visitor.ticket);
  EXPECT_FALSE(shake(shop, [](auto&) { return true; }).refused());
}

TEST_F(Opening, AForeignPageIsRefusedBeforeTheHandlerThoughItIsAGet) {
  Shop shop;
  shop.visit(browser, log_in);
  shop.store->reset();
  for (const Request& request : {Request{}, Request{.origin = "https://evil.example"}, Request{.origin = "null"},
                                 Request{.sec_fetch_site = "cross-site"},
                                 Request{.host = "localhost", .origin = "http://localhost.evil.example"},
                                 Request{.host = "evil.example", .origin = "http://evil.example"}}) {
    const auto refused = shake(
        shop, [](auto&) { return ADD_FAILURE(), true; }, request);
    EXPECT_EQ(refused.answer.status, 403);
    EXPECT_FALSE(refused.without_session);
  }
  EXPECT_EQ(shop.store->calls, 0u);
  EXPECT_EQ(shop.ear.count(EventKind::request_refused), 6u);
  EXPECT_FALSE(shake(shop, logged_in, {.host = "localhost:81", .origin = "http://localhost:81"}).refused());
}

TEST_F(Opening, AForeignPageIsRefusedAlsoWhereTheGuardOnlyLogs) {
  auto policy = plain_policy();
  policy.origins->log_only = true;
  Shop shop(policy);
  shop.visit(browser, log_in);
  const Request foreign{.origin = "https://evil.example", .sec_fetch_site = "cross-site"};
  EXPECT_EQ(shake(
                shop, [](auto&) { return ADD_FAILURE(), true; }, foreign)
                .answer.status,
            403);
  EXPECT_EQ(shop.ear.count(EventKind::request_refused), 1u);
  EXPECT_FALSE(shake(shop, logged_in).refused());
  auto post = foreign;
  post.method = "POST";
  EXPECT_TRUE(shop.sessions.origin_allowed(post)) << "a POST is let pass, and only told of";
}

TEST_F(Opening, WhoTellsNoOriginIsRefusedAlsoWhereAPostIsNot) {
  auto policy = plain_policy();
  policy.origins->allow_unknown = true;
  Shop shop(policy);
  shop.visit(browser, log_in);
  EXPECT_EQ(shake(
                shop, [](auto&) { return ADD_FAILURE(), true; }, {})
                .answer.status,
            403);
  EXPECT_EQ(shop.ear.count(EventKind::request_refused), 1u);
  EXPECT_TRUE(shop.sessions.origin_allowed({.method = "POST"}));
  EXPECT_FALSE(shake(shop, logged_in, {.host = "localhost", .referer = "http://localhost/chat"}).refused());
}

TEST_F(Opening, WithoutOriginsToTellByItIsABrokenRuleAndByHeaderNoneAreNeeded) {
  auto policy = plain_policy();
  policy.origins.reset();
  Shop shop(policy);
  const auto handshake = shake(shop, logged_in);
  EXPECT_EQ(handshake.answer.status, 500);
  EXPECT_TRUE(handshake.answer.broke_a_rule());

  policy.transport = Transport::bearer();
  Shop api(policy);
  EXPECT_FALSE(shake(api, [](auto& scope) { return ++scope->visits, true; }, {}).refused());
}

TEST_F(Opening, IsNeverServedWithoutItsSession) {
  for (const auto outage : {Outage::fail_closed, Outage::read_only, Outage::anonymous_pages}) {
    Shop shop(outage_policy(outage));
    shop.visit(browser, log_in);
    shop.store->fail = Trouble::unavailable;
    const auto refused = shake(shop, [](auto&) { return ADD_FAILURE(), true; });
    EXPECT_EQ(refused.answer.status, 503);
    for (const auto& line : refused.answer.lines) EXPECT_NE(line.name, "Set-Cookie");
    browser.jar.clear();
  }
}

TEST_F(Opening, AHandlerThatThrowsOpensNothingAndSavesNothing) {
  Shop shop;
  shop.visit(browser, log_in);
  const auto refused = shake(shop, [](auto& scope) -> bool {
    ++scope->visits;
    throw std::runtime_error("no");
  });
  EXPECT_EQ(refused.answer.status, 500);
  EXPECT_FALSE(refused.ticket);
  shop.visit(browser, [](ShopSession& s) { EXPECT_EQ(s.visits.value(), 0); });
}

}  // namespace
}  // namespace sancho::test
