// Which cookies open a session, and which are set.
#include <regex>

#include "site.hpp"

namespace sancho::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using CookieTest = Site;

TEST_F(CookieTest, TheSessionsCookieIsSetWithTheStrictestAttributes) {
  start();
  const auto reply = ask(get("/count"));
  ASSERT_EQ(reply.all("Set-Cookie").size(), 1u);
  const std::regex golden("__Host-Http-sid=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_TRUE(std::regex_match(reply.header("Set-Cookie"), golden)) << reply.header("Set-Cookie");
}

TEST_F(CookieTest, AResponseThatSetsACookieIsKeptInNoCache) {
  server.Get("/cached", sessions.wrap([](SiteSession& s, const Req&, Res& res) {
    ++s.visits;
    res.set_header("Cache-Control", "public, max-age=3600");
    res.set_header("Vary", "Accept-Language");
  }));
  start();
  for (const auto* path : {"/count", "/cached"}) {
    const auto reply = ask(get(path));
    EXPECT_FALSE(reply.cookie(sid).empty());
    EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store")) << path;
    EXPECT_THAT(reply.all("Vary"), testing::Contains("Cookie")) << path;
  }
}

TEST_F(CookieTest, AResponseThatSetsNoneIsLeftAsTheHandlerMadeIt) {
  server.Get("/cached", sessions.wrap([](SiteSession&, const Req&, Res& res) { res.set_header("Cache-Control", "public"); }));
  start();
  const auto reply = ask(get("/cached"));
  EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("public"));
  EXPECT_THAT(reply.all("Vary"), IsEmpty());
}

TEST_F(CookieTest, AStrangerCostsNoStoreCallAndGetsNoCookie) {
  start();
  for (int i = 0; i < 20; ++i) {
    const auto reply = ask(get("/look", "Cookie: theme=dark\r\n"));
    EXPECT_EQ(reply.body, "nobody 0");
    EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
  }
  EXPECT_EQ(store->calls, 0);
}

// cpp-httplib decodes header values: this arrives as `x=; __Host-Http-sid=…` at
// handlers of its own server.
TEST_F(CookieTest, APercentEncodedSemicolonForgesNoCookie) {
  start();
  const auto id = log_in("ada");
  ASSERT_EQ(look(id), "ada 0");
  store->calls = 0;
  for (const std::string& forged : {"x=%3B%20" + sid + "=" + id, "x=%3b" + sid + "=" + id, "x=1%3B " + sid + "%3D" + id,
                                   "x=1%0d%0aCookie: " + sid + "=" + id, "%5F%5FHost-Http-sid=" + id, sid + "%3D" + id})
    EXPECT_EQ(ask(get("/look", "Cookie: " + forged + "\r\n")).body, "nobody 0") << forged;
  EXPECT_EQ(store->calls, 0);
}

TEST_F(CookieTest, HeaderValuesReachHandlersAsTheyCame) {
  std::string seen;
  server.Get("/echo", sessions.wrap([&](SiteSession&, const Req& req, Res&) { seen = req.get_header_value("X-Raw"); }));
  start();
  ask(get("/echo", "X-Raw: \t100%25 %41%0d%0aX-Other: 1 \t\r\n"));
  EXPECT_EQ(seen, "100%25 %41%0d%0aX-Other: 1");
}

TEST_F(CookieTest, SeveralCookieLinesAreReadAsOne) {
  start();
  const auto id = log_in("ada");
  EXPECT_EQ(ask(get("/look", "Cookie: a=b\r\n" + with(id) + "Cookie: c=d\r\n")).body, "ada 0");
  EXPECT_EQ(ask(get("/look", with(id) + "cOOKIE: a=b\r\n")).body, "ada 0");
}

TEST_F(CookieTest, TwoSessionCookiesOpenNone) {
  start();
  const auto ada = log_in("ada"), eve = log_in("eve");
  store->calls = 0;
  EXPECT_EQ(ask(get("/look", with(ada) + with(eve))).body, "nobody 0");
  EXPECT_EQ(ask(get("/look", "Cookie: " + sid + "=" + eve + "; " + sid + "=" + ada + "\r\n")).body, "nobody 0");
  EXPECT_EQ(ask(get("/look", with(ada) + with(ada))).body, "nobody 0");
  EXPECT_EQ(store->calls, 0);
}

TEST_F(CookieTest, ALineThatIsNoHeaderOpensNothing) {
  start();
  const auto id = log_in("ada");
  const auto cookie = sid + "=" + id;
  for (const std::string& line : {"Cookie : " + cookie, "X: a\r\n Cookie: " + cookie, "Cookie:\r\n " + cookie, " Cookie: " + cookie})
    EXPECT_EQ(ask(get("/look", line + "\r\n")).body, "nobody 0") << line;
}

TEST_F(CookieTest, TheHandlersOwnCookiesStandBesideTheSessions) {
  server.Get("/both", sessions.wrap([](SiteSession& s, const Req&, Res& res) {
    ++s.visits;
    res.set_header("Set-Cookie", "theme=dark; Path=/");
    res.set_header("Set-Cookie", "lang=es; Path=/");
  }));
  start();
  const auto reply = ask(get("/both"));
  EXPECT_EQ(reply.all("Set-Cookie").size(), 3u);
  EXPECT_EQ(reply.cookie("theme"), "dark");
  EXPECT_EQ(reply.cookie("lang"), "es");
  EXPECT_EQ(look(reply.cookie(sid)), "nobody 1");
}

TEST_F(CookieTest, ALogoutDeletesTheCookieAndEndsTheSession) {
  start();
  const auto id = log_in("ada");
  const auto reply = ask(post("/logout", "", with(id)));
  EXPECT_EQ(reply.body, "goodbye");
  ASSERT_EQ(reply.all("Set-Cookie").size(), 1u);
  EXPECT_EQ(reply.cookie(sid), "");
  EXPECT_THAT(reply.header("Set-Cookie"), testing::HasSubstr("Max-Age=0"));
  EXPECT_EQ(look(id), "nobody 0");
}

}  // namespace
}  // namespace sancho::test
