// Between the manager and HTTP: which cookies open a session, and which lines
// go into the response.
#include "shop.hpp"

namespace sancho::test {
namespace {

constexpr const char* sid = "__Host-Http-sid";

std::vector<std::string> set_cookies(const HeaderLines& lines) {
  std::vector<std::string> all;
  for (const auto& [name, value] : lines)
    if (name == "Set-Cookie") all.push_back(value);
  return all;
}

bool has(const HeaderLines& lines, std::string_view name) {
  return std::any_of(lines.begin(), lines.end(), [&](const HeaderLine& l) { return l.name == name; });
}

HeaderLines request(Shop& shop, std::vector<std::string_view> cookies, bool expect_user = false) {
  auto scope = shop.sessions.start_request({.cookies = cookies});
  EXPECT_EQ(bool(scope->user()), expect_user);
  return scope.finish();
}

TEST(Edge, BadCookiesNeverReachTheStore) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto good = b.header(), id = b.jar[sid];
  shop.store->reset();
  const std::string rows[] = {
      good + "; " + good,                                            // twice (F22)
      good + "; " + sid + "=" + std::string(43, 'A'),                // tossed
      std::string(sid) + "=",                                        // empty
      std::string(sid) + "=" + id.substr(1),                         // short
      std::string(sid) + "=" + id + "A",                             // long
      std::string(sid) + "=" + id + "=",                             // padded
      std::string(sid) + "=\"" + id + "\"",                          // quoted
      std::string(sid) + "=../../etc/passwd",                        // F14
      std::string(sid) + "=' OR 1=1 --",                             // F15
      std::string(sid) + "=" + std::string(5000, 'A'),               // oversized
      good + "; " + std::string(20000, 'x'),                         // over the limits
  };
  for (const auto& row : rows) {
    shop.ear.clear();
    EXPECT_TRUE(request(shop, {row}).empty()) << row;
    EXPECT_EQ(shop.ear.count(EventKind::unknown_id), 0u) << row;
  }
  // Foreign names, and spoofs of ours (F23), are not ours at all.
  const std::string foreign[] = {"sid=" + id, "__host-http-sid=" + id, "%5F_Host-Http-sid=" + id, "=" + good, "\xe2\x80\x80" + good, "$Version=1, " + good};
  for (const auto& row : foreign) {
    shop.ear.clear();
    EXPECT_TRUE(request(shop, {row}).empty()) << row;
    EXPECT_TRUE(shop.ear.heard.empty()) << row;
  }
  EXPECT_EQ(shop.store->calls, 0u);
  request(shop, {good}, true);
}

TEST(Edge, ARefusedCookieIsAnEvent) {
  Shop shop;
  request(shop, {"__Host-Http-sid=short"});
  request(shop, {"__Host-Http-sid=a; __Host-Http-sid=b"});
  EXPECT_EQ(shop.ear.heard, (std::vector{EventKind::cookie_refused, EventKind::cookie_refused}));
}

TEST(Edge, SeveralCookieLinesAreOneHeader) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto good = b.header();
  request(shop, {"a=1", good, "b=2"}, true);
  request(shop, {good, good});
}

TEST(Edge, AVisitorWhoLeavesWithASessionReplacesABadCookie) {
  Shop shop;
  Browser b;
  b.jar[sid] = "not an id";
  shop.visit(b, log_in);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

// ## The development cookie

TEST(Edge, ThePlainCookieIsForLoopbackAlone) {
  auto policy = plain_policy();
  policy.cookie = CookieOptions::insecure_dev();
  Shop shop(policy);
  Browser b;
  EXPECT_THROW(shop.visit(b, log_in, {.peer_address = "192.0.2.1"}), UsageError);
  EXPECT_EQ(shop.store->calls, 0u);
  for (const auto* local : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) EXPECT_NO_THROW(shop.visit(b, log_in, {.peer_address = local})) << local;
  EXPECT_EQ(b.jar.count("sid"), 1u);
}

// ## Proxies

TEST(Edge, ATrustedProxysWordIsTakenAndNobodyElses) {
  auto policy = plain_policy();
  policy.proxies.trusted = {"10.0.0.0/8"};
  Shop shop(policy);
  const auto address = [&](Request r) {
    auto scope = shop.sessions.start_request(r);
    const auto seen = scope.remote_address() + (scope.https() ? " tls" : "");
    EXPECT_EQ(scope->get_remote_address(), scope.remote_address());
    scope.finish();
    return seen;
  };
  EXPECT_EQ(address({.peer_address = "10.0.0.9", .x_forwarded_for = "192.0.2.7", .x_forwarded_proto = "https"}), "192.0.2.7 tls");
  EXPECT_EQ(address({.peer_address = "192.0.2.66", .x_forwarded_for = "192.0.2.7", .x_forwarded_proto = "https"}), "192.0.2.66");
}

// ## What a response carries

TEST(Edge, EverySetCookieComesWithNoStore) {
  Shop shop;
  Browser b;
  const auto check = [](const HeaderLines& lines) {
    ASSERT_FALSE(set_cookies(lines).empty());
    EXPECT_NE(std::find(lines.begin(), lines.end(), HeaderLine{"Cache-Control", "no-store"}), lines.end());
    EXPECT_NE(std::find(lines.begin(), lines.end(), HeaderLine{"Vary", "Cookie"}), lines.end());
  };
  check(shop.visit(b, [](ShopSession& s) { (void)s.csrf_token(); }));
  check(shop.visit(b, log_in));
  check(shop.visit(b, [](ShopSession& s) { s.renew_id(); }));
  check(shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); }));
  EXPECT_FALSE(has(shop.visit(b, [](ShopSession&) {}), "Cache-Control"));
}

TEST(Edge, ADeletionHasTheAttributesOfTheCookie) {
  auto policy = plain_policy();
  policy.cookie.name = "__Secure-shop";
  policy.cookie.domain = "shop.example";
  policy.cookie.path = "/a";
  policy.cookie.same_site = SameSite::strict;
  Shop shop(policy);
  Browser b;
  const auto set = set_cookies(shop.visit(b, log_in)).at(0);
  const auto deleted = set_cookies(shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); })).at(0);
  const auto attributes = [](std::string text) {
    text.erase(0, text.find(';'));
    if (const auto at = text.find("; Max-Age=0"); at != std::string::npos) text.erase(at, 11);
    if (const auto at = text.find("; Expires="); at != std::string::npos) text.erase(at, text.find(';', at + 1) - at);
    return text;
  };
  EXPECT_EQ(deleted.substr(0, deleted.find(';')), "__Secure-shop=");
  EXPECT_EQ(attributes(set), attributes(deleted));
  EXPECT_EQ(attributes(set), "; Path=/a; Domain=shop.example; Secure; HttpOnly; SameSite=Strict");
  EXPECT_TRUE(b.jar.empty());
}

TEST(Edge, AnEndedIdGetsNoSetCookieNotEvenADeletion) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto before = b;
  shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
  auto late = shop.start(before);
  ++late->visits;
  EXPECT_TRUE(late.finish().empty());
  auto reader = shop.start(before);
  EXPECT_TRUE(reader.finish().empty());
}

TEST(Edge, OnlyALogoutClearsTheSitesData) {
  auto policy = plain_policy();
  policy.clear_site_data_at_logout = true;
  Shop shop(policy), plain;
  Browser b, p;
  EXPECT_FALSE(has(shop.visit(b, log_in), "Clear-Site-Data"));
  auto revoked = shop.start(b);
  revoked.revoke_session_cookie();
  EXPECT_FALSE(has(revoked.finish(), "Clear-Site-Data"));
  auto switched = shop.start(b);
  switched.expire_session();
  switched->set_user("bob");
  const auto lines = switched.finish();
  EXPECT_FALSE(has(lines, "Clear-Site-Data"));  // it would take the new cookie too
  b.take(lines);
  EXPECT_TRUE(has(shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); }), "Clear-Site-Data"));
  plain.visit(p, log_in);
  EXPECT_FALSE(has(plain.visit(p, [](ShopSession&, auto& scope) { scope.expire_session(); }), "Clear-Site-Data"));
}

TEST(Edge, ALogoutThatShowsALoginFormKeepsTheFormsCookie) {
  auto policy = plain_policy();
  policy.clear_site_data_at_logout = true;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  std::string token;
  const auto lines = shop.visit(b, [&](ShopSession& s, auto& scope) {
    scope.expire_session();
    token = s.csrf_token("login");
  });
  EXPECT_TRUE(has(lines, "Clear-Site-Data"));
  EXPECT_FALSE(b.jar.contains(sid));
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.check_csrf_token(token, "login")); });
}

TEST(Edge, AFailedRequestSendsOnlyWhatActedAtOnce) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto failed = shop.start(b);
  failed->set_user("bob");
  (void)failed->csrf_token();
  EXPECT_TRUE(failed.abort().empty());
  auto logout = shop.start(b);
  logout.expire_session();
  EXPECT_EQ(set_cookies(logout.abort()).size(), 1u);
}

TEST(Edge, ALogoutWithoutACookieDeletesNone) {
  Shop shop;
  Browser b;
  EXPECT_TRUE(shop.visit(b, [](ShopSession& s, auto& scope) { s.set_user("ada"); scope.expire_session(); }).empty());
  EXPECT_EQ(shop.store->calls, 0u);
}

TEST(Edge, TheUserAgentIsCutAndBytesOfItAreNeverTrusted) {
  Shop shop;
  Browser b;
  const std::string agent = std::string(199, 'a') + "\xc3\xa9 <script>";  // the cut is in the middle of a letter
  shop.visit(b, log_in, {.user_agent = agent});
  shop.visit(b, [&](ShopSession& s) { EXPECT_LE(s.get_user_agent().size(), 200u); EXPECT_TRUE(s.user()); });
}

TEST(Edge, NamespacesInOneStoreNeverMeet) {
  ManualClock clock;
  const std::shared_ptr<SessionStore> store = open_memory_store(clock);
  auto shop = plain_policy(), blog = plain_policy();
  shop.name_space = "shop", blog.name_space = "blog";
  SessionManager<> one(store, shop, {.clock = clock}), two(store, blog, {.clock = clock});
  auto scope = one.start_request({});
  scope->set_user("ada");
  Browser b;
  b.take(scope.finish());
  const auto header = b.header();
  const std::string_view line = header;
  auto other = two.start_request({.cookies = {&line, 1}});
  EXPECT_FALSE(other->user());
  other.finish();
}

}  // namespace
}  // namespace sancho::test
