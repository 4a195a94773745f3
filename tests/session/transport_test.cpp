// Ids that travel in a header.
#include "shop.hpp"

namespace sancho::test {
namespace {

Policy by_header(Transport transport) {
  auto policy = plain_policy();
  policy.transport = std::move(transport);
  return policy;
}

std::optional<std::string> told(const HeaderLines& lines, const std::string& name = "Session-Id") {
  for (const auto& [each, value] : lines)
    if (each == name) return value;
  return std::nullopt;
}

// A client that takes whatever id it is told, and sends it in this way.
struct Client {
  Shop& shop;
  std::string before{};  // what stands before the id
  std::string id{};
  std::string line{};  // of the request in progress
  std::string_view view{};

  RequestScope<ShopSession> start(Request request = {}) {
    line = before + id;
    view = line;
    if (!id.empty()) request.id_lines = {&view, 1};
    return shop.sessions.start_request(request);
  }
  template <class Handler>
  HeaderLines ask(Handler handler, Request request = {}) {
    auto scope = start(request);
    if constexpr (std::invocable<Handler, ShopSession&>) handler(*scope);
    else handler(scope);
    auto lines = scope.finish();
    id = told(lines).value_or(id);
    return lines;
  }
  std::string user() {
    std::string name;
    ask([&](ShopSession& s) { name = s.get_user().value_or("nobody"); });
    return name;
  }
};

using Scope = RequestScope<ShopSession>;

TEST(TransportBearer, TellsTheIdAtLoginAndAnEmptyOneAtLogout) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  const auto login = client.ask(log_in);
  EXPECT_EQ(login, (HeaderLines{{"Session-Id", client.id}, {"Cache-Control", "no-store"}, {"Vary", "Authorization"}}));
  EXPECT_TRUE(SessionId::parse(client.id));
  EXPECT_EQ(client.user(), "ada");
  EXPECT_TRUE(client.ask([](ShopSession&) {}).empty());  // nothing new to tell
  const auto old = client.id;
  EXPECT_EQ(client.ask([](Scope& s) { s.expire_session(); }),
            (HeaderLines{{"Session-Id", ""}, {"Cache-Control", "no-store"}, {"Vary", "Authorization"}}));
  client.id = old;
  EXPECT_EQ(client.user(), "nobody");
}

TEST(TransportHeader, IsEchoedUnderItsName) {
  Shop shop(by_header(Transport::header("Shop-Session")));
  Client client{shop};
  const auto lines = client.ask(log_in);
  client.id = told(lines, "Shop-Session").value_or("");
  EXPECT_EQ(lines, (HeaderLines{{"Shop-Session", client.id}, {"Cache-Control", "no-store"}, {"Vary", "Shop-Session"}}));
  EXPECT_EQ(client.user(), "ada");
}

TEST(TransportBearer, ReadsAndSendsNoCookie) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  const auto cookie = "__Host-Http-sid=" + client.id;
  const std::string_view line = cookie;
  auto scope = shop.sessions.start_request({.cookies = {&line, 1}});
  EXPECT_FALSE(scope->user());
  ++scope->visits;
  for (const auto& sent : scope.finish()) EXPECT_NE(sent.name, "Set-Cookie");
  EXPECT_FALSE(shop.sessions.has_session_cookie({.cookies = {&line, 1}}));
  shop.store->reset();
  auto pre = shop.sessions.start_request({});
  EXPECT_EQ(pre->csrf_token("login"), "");
  EXPECT_TRUE(pre.finish().empty());  // no pre-session either
  EXPECT_EQ(shop.store->calls, 0u);
}

TEST(TransportCookie, ReadsAndSendsNoOtherHeader) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto bearer = "Bearer " + b.jar.begin()->second, bare = b.jar.begin()->second;
  for (const auto& text : {bearer, bare}) {
    const std::string_view line = text;
    auto scope = shop.sessions.start_request({.id_lines = {&line, 1}});
    EXPECT_FALSE(scope->user());
    EXPECT_TRUE(scope.finish().empty());
  }
}

TEST(TransportBearer, WhatIsNotOneIdIsNoSessionAndAnEvent) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  const auto good = "Bearer " + client.id;
  shop.store->reset();
  const auto refused = [&](const std::vector<std::string_view>& lines) {
    shop.ear.clear();
    auto scope = shop.sessions.start_request({.id_lines = lines});
    EXPECT_FALSE(scope->user());
    EXPECT_TRUE(scope.finish().empty());
    EXPECT_EQ(shop.ear.heard, std::vector{EventKind::header_refused}) << lines.front();
    EXPECT_EQ(shop.ear.all.at(0).detail.find(client.id), std::string::npos);
  };
  const std::string spoilt[] = {client.id, "Bearer  " + client.id, "Basic " + client.id, good + "A", good + "=",
                                good + ", " + good, "Bearer", "", "Bearer ../../etc/passwd", "Bearer " + std::string(100000, 'A')};
  for (const auto& row : spoilt) refused({row});
  refused({good, good});
  refused({good, ""});
  EXPECT_EQ(shop.store->calls, 0u);
  EXPECT_EQ(client.user(), "ada");
}

TEST(TransportBearer, AWellFormedIdThatOpensNothingIsTheUsualEvent) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer ", std::string(43, 'A')};
  EXPECT_EQ(client.user(), "nobody");
  EXPECT_EQ(shop.ear.heard, std::vector{EventKind::unknown_id});
  EXPECT_EQ(client.id, std::string(43, 'A'));  // it is told nothing, as with cookies
}

TEST(TransportBearer, ARenewalTellsTheSameSuccessorToAllThatBeganUnderTheOldId) {
  auto policy = by_header(Transport::bearer());
  policy.renewal = std::chrono::hours(1);
  Shop shop(policy);
  Client client{shop, "Bearer "};
  client.ask(log_in);
  auto other = client;
  shop.clock.advance(std::chrono::minutes(20));
  client.ask([](ShopSession& s) { ++s.visits; });
  shop.clock.advance(std::chrono::minutes(20));
  client.ask([](ShopSession& s) { ++s.visits; });
  shop.clock.advance(std::chrono::minutes(21));
  const auto old = client.id;
  client.ask([](ShopSession& s) { ++s.visits; });
  EXPECT_NE(client.id, old);
  other.id = old;
  other.ask([](ShopSession& s) { ++s.visits; });
  EXPECT_EQ(other.id, client.id);
  EXPECT_EQ(client.user(), "ada");
}

TEST(TransportBearer, AChangeOfUserTellsANewIdAndTheOldOneIsDead) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask([](ShopSession& s) { ++s.visits; });
  const auto visitor = client.id;
  client.ask(log_in);
  EXPECT_NE(client.id, visitor);
  client.id = visitor;
  EXPECT_EQ(client.user(), "nobody");
}

// No form on another site can send the header, so there is nothing to guard.
TEST(TransportBearer, NeedsNoOriginAndNoCsrfToken) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  const Request foreign{.method = "POST", .sec_fetch_site = "cross-site"};
  EXPECT_TRUE(shop.sessions.origin_allowed(foreign));
  EXPECT_EQ(shop.sessions.refusal(foreign), 0);
  client.ask([](ShopSession& s) {
    EXPECT_EQ(s.csrf_token("pay"), "");
    EXPECT_TRUE(s.check_csrf_token("", "pay"));
  });
  Shop cookies;
  EXPECT_FALSE(cookies.sessions.origin_allowed(foreign));
  auto scope = cookies.sessions.start_request({});
  EXPECT_FALSE(scope->check_csrf_token(""));
  scope.finish();
}

TEST(TransportBearer, AFormTokenStillWorksOnce) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  std::string token;
  client.ask([&](ShopSession& s) { s.set_user("ada"), token = s.create_form_token(); });
  client.ask([&](ShopSession& s) { EXPECT_TRUE(s.consume_form_token(token)); });
  client.ask([&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); });
}

TEST(TransportBearer, AStoreThatIsDownTellsNothing) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  shop.store->fail = Trouble::unavailable;
  EXPECT_THROW(client.start(), StoreError);
  shop.store->fail.reset();
  EXPECT_EQ(client.user(), "ada");
}

TEST(TransportBearer, AFailedRequestTellsOnlyWhatActedAtOnce) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  auto failed = client.start();
  failed->set_user("bob");
  EXPECT_TRUE(failed.abort().empty());
  auto logout = client.start();
  logout.expire_session();
  EXPECT_EQ(told(logout.abort()), "");
}

TEST(TransportBearer, WhoAsksForTheHeaderIsAnsweredByTheStore) {
  Shop shop(by_header(Transport::bearer()));
  Client client{shop, "Bearer "};
  client.ask(log_in);
  const auto has = [&](const std::string& text, bool must_exist) {
    const std::string_view line = text;
    return shop.sessions.has_session_cookie({.id_lines = {&line, 1}}, must_exist);
  };
  EXPECT_TRUE(has("Bearer " + client.id, true));
  EXPECT_TRUE(has("Bearer " + std::string(43, 'A'), false));
  EXPECT_FALSE(has("Bearer " + std::string(43, 'A'), true));
  EXPECT_FALSE(has(client.id, false));
}

}  // namespace
}  // namespace sancho::test
