// What adapters share: the head of a request, and what becomes of answers.
#include "sancho/adapter.hpp"

#include <gmock/gmock.h>

#include <map>

#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const Policy by_cookie;

TEST(RequestHeadTest, TakesWhatSessionsLookAtWhateverTheCaseOfItsName) {
  RequestHead head(by_cookie, "POST", "192.0.2.7", true);
  head.add("hOST", "shop.example");
  head.add("ORIGIN", "https://shop.example");
  head.add("referer", "https://shop.example/cart");
  head.add("sec-fetch-site", "same-origin");
  head.add("User-agent", "curl/8");
  head.add("x-forwarded-for", "198.51.100.1");
  head.add("X-FORWARDED-PROTO", "https");
  head.add("forwarded", "for=198.51.100.1");
  head.add("content-TYPE", "application/json");
  head.add("Accept", "*/*");
  head.add("Authorization", "Bearer 1");
  const auto& r = head.request();
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.peer_address, "192.0.2.7");
  EXPECT_TRUE(r.https);
  EXPECT_EQ(r.host, "shop.example");
  EXPECT_EQ(r.origin, "https://shop.example");
  EXPECT_EQ(r.referer, "https://shop.example/cart");
  EXPECT_EQ(r.sec_fetch_site, "same-origin");
  EXPECT_EQ(r.user_agent, "curl/8");
  EXPECT_EQ(r.x_forwarded_for, "198.51.100.1");
  EXPECT_EQ(r.x_forwarded_proto, "https");
  EXPECT_EQ(r.forwarded, "for=198.51.100.1");
  EXPECT_EQ(r.content_type, "application/json");
  EXPECT_THAT(r.cookies, IsEmpty());
  EXPECT_THAT(r.id_lines, IsEmpty());
}

TEST(RequestHeadTest, LeavesTheLinesThatCarryAnIdAsTheyCame) {
  const Policy by_bearer{.transport = Transport::bearer()}, by_header{.transport = Transport::header()};
  RequestHead bearer(by_bearer, "GET", "");
  bearer.add("session-id", "1");
  bearer.add("AUTHORIZATION", "Bearer 1");
  EXPECT_THAT(bearer.request().id_lines, ElementsAre("Bearer 1"));
  bearer.add("authorization", "");
  bearer.add("Authorization", "Basic YQ==, Bearer 2");
  EXPECT_THAT(bearer.request().id_lines, ElementsAre("Bearer 1", "", "Basic YQ==, Bearer 2"));
  RequestHead named(by_header, "GET", "");
  named.add("Authorization", "Bearer 1");
  EXPECT_THAT(named.request().id_lines, IsEmpty());
  named.add("session-ID", std::string_view());
  EXPECT_THAT(named.request().id_lines, ElementsAre(""));
}

TEST(RequestHeadTest, LeavesCookieLinesAsTheyCame) {
  RequestHead head(by_cookie, "GET", "");
  head.add("cookie", "a=%3B b");
  EXPECT_THAT(head.request().cookies, ElementsAre("a=%3B b"));
  head.add("Cookie", "");
  head.add("COOKIE", "sid=1; sid=2");
  EXPECT_THAT(head.request().cookies, ElementsAre("a=%3B b", "", "sid=1; sid=2"));
}

TEST(RequestHeadTest, MakesOneListOfSeveralLines) {
  RequestHead head(by_cookie, "GET", "");
  head.add("X-Forwarded-For", "203.0.113.9");
  head.add("Forwarded", "for=a");
  head.add("x-forwarded-for", "");
  head.add("Forwarded", "for=b");
  head.add("X-Forwarded-For", "198.51.100.1");
  EXPECT_EQ(head.request().x_forwarded_for, "203.0.113.9, , 198.51.100.1");
  EXPECT_EQ(head.request().forwarded, "for=a, for=b");
}

// A second line must not be taken for the only one because the first is empty.
TEST(RequestHeadTest, CountsALineThatIsEmpty) {
  RequestHead head(by_cookie, "GET", "");
  head.add("Origin", std::string_view());
  head.add("Origin", "https://shop.example");
  EXPECT_EQ(head.request().origin, ", https://shop.example");
}

struct Head {
  std::multimap<std::string, std::string> lines;
  void add(const std::string& name, const std::string& value) { lines.emplace(name, value); }
  void replace(const std::string& name, const std::string& value) {
    lines.erase(name);
    lines.emplace(name, value);
  }
  bool has(const std::string& name, const std::string& value) const {
    const auto [first, last] = lines.equal_range(name);
    return std::any_of(first, last, [&](const auto& line) { return line.second == value; });
  }
};

TEST(AnswerTest, ALineWithACookieIsKeptInNoCacheWhateverTheHandlerSaid) {
  Head head{{{"Cache-Control", "public, max-age=3600"}, {"Vary", "Accept"}}};
  put_lines({.lines = {{"Set-Cookie", "sid=1"}, {"Cache-Control", "no-store"}, {"Vary", "Cookie"}}}, head);
  EXPECT_THAT(head.lines, UnorderedElementsAre(Pair("Cache-Control", "no-store"), Pair("Vary", "Accept"), Pair("Vary", "Cookie"),
                                               Pair("Set-Cookie", "sid=1")));
  put_lines({.lines = {{"Set-Cookie", "pre=1"}, {"Cache-Control", "no-store"}, {"Vary", "Cookie"}}}, head);
  EXPECT_EQ(head.lines.count("Vary"), 2U);
  EXPECT_EQ(head.lines.count("Set-Cookie"), 2U);
}

TEST(AnswerTest, APageThatNobodysSessionIsInMayBeCached) {
  Head head{{{"Cache-Control", "public"}}};
  put_lines({}, head);
  EXPECT_THAT(head.lines, UnorderedElementsAre(Pair("Cache-Control", "public")));
}

TEST(AnswerTest, AFailedOneIsKeptInNoCacheAndSaysWhenToComeAgain) {
  Head head;
  put_lines({.status = 503}, head);
  EXPECT_TRUE(head.has("Cache-Control", "no-store"));
  EXPECT_TRUE(head.has("Retry-After", "5"));
  Head forbidden;
  put_lines({.status = 403}, forbidden);
  EXPECT_TRUE(forbidden.has("Cache-Control", "no-store"));
  EXPECT_EQ(forbidden.lines.count("Retry-After"), 0U);
  EXPECT_THAT(plain_text(415), testing::HasSubstr("application/json"));
}

class ExchangeTest : public testing::Test {
 protected:
  SessionManager<> manager{open_memory_store()};
  const Request request{};
};

TEST_F(ExchangeTest, SavesWhatTheHandlerDidBeforeItReturns) {
  const auto answer = exchange(manager, request, [](RequestScope<Session>& scope) { scope->set_user("ada"); });
  EXPECT_FALSE(answer.failed());
  ASSERT_FALSE(answer.lines.empty());
  EXPECT_EQ(answer.lines.front().name, "Set-Cookie");
  EXPECT_EQ(manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))), 1U);
}

TEST_F(ExchangeTest, AHandlerThatThrowsSavesNothing) {
  const auto answer = exchange(manager, request, [](RequestScope<Session>& scope) {
    scope->set_user("ada");
    throw 42;  // not even a std::exception
  });
  EXPECT_EQ(answer.status, 500);
  EXPECT_TRUE(answer.error);
  EXPECT_FALSE(answer.broke_a_rule());
  EXPECT_THAT(answer.lines, IsEmpty());
  EXPECT_EQ(manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))), 0U);
}

TEST_F(ExchangeTest, AForeignPageNeverReachesTheHandler) {
  const Request foreign{.method = "POST", .host = "shop.example", .sec_fetch_site = "cross-site"};
  bool ran = false;
  const auto answer = exchange(manager, foreign, [&](RequestScope<Session>&) { ran = true; });
  EXPECT_EQ(answer.status, 403);
  EXPECT_FALSE(answer.error);
  EXPECT_FALSE(ran);
}

TEST(JsonOnly, WhatBringsNoJsonNeverReachesTheHandler) {
  SessionManager<> api{open_memory_store(), {.json_only = true}};
  struct Row {
    std::string_view method, type;
    int status;
  };
  // A form on another site, or a script there that has not asked first, can say
  // the first three, or nothing.
  for (const auto& [method, type, status] : {Row{"POST", "application/x-www-form-urlencoded", 415},
                                             {"POST", "multipart/form-data; boundary=x", 415},
                                             {"POST", "text/plain", 415},
                                             {"POST", "text/plain; application/json", 415},
                                             {"POST", "", 415},
                                             {"POST", "application/json, text/plain", 415},
                                             {"PUT", "text/plain", 415},
                                             {"DELETE", "", 415},
                                             {"BREW", "text/plain", 415},
                                             {"get", "text/plain", 415},
                                             {"POST", "application/json", 0},
                                             {"POST", "Application/JSON; charset=utf-8", 0},
                                             {"PATCH", "application/merge-patch+json", 0},
                                             {"DELETE", "application/json", 0},
                                             {"GET", "", 0},
                                             {"HEAD", "text/plain", 0},
                                             {"OPTIONS", "", 0}}) {
    bool ran = false;
    const Request posted{.method = method, .sec_fetch_site = "same-origin", .content_type = type};
    const auto answer = exchange(api, posted, [&](RequestScope<Session>&) { ran = true; });
    EXPECT_EQ(answer.status, status) << method << ' ' << type;
    EXPECT_EQ(ran, status == 0) << method << ' ' << type;
    EXPECT_FALSE(answer.error);
  }
  // Who asks from elsewhere is told nothing about content types.
  const Request foreign{.method = "POST", .sec_fetch_site = "cross-site", .content_type = "text/plain"};
  EXPECT_EQ(api.refusal(foreign), 403);
}

TEST_F(ExchangeTest, TellsABrokenRuleFromTrouble) {
  const auto broken = exchange(manager, request, [](RequestScope<Session>& scope) { scope.finish(); });
  EXPECT_EQ(broken.status, 500);
  EXPECT_TRUE(broken.broke_a_rule());
}

TEST(StatusOf, SaysLaterWhereLaterMayHelp) {
  const auto status = [](Trouble kind) { return status_of(std::make_exception_ptr(StoreError(kind, "a test"))); };
  EXPECT_EQ(status(Trouble::unavailable), 503);
  EXPECT_EQ(status(Trouble::contention), 503);
  EXPECT_EQ(status(Trouble::in_doubt), 503);
  EXPECT_EQ(status(Trouble::corrupt), 500);
  EXPECT_EQ(status(Trouble::full), 500);
  EXPECT_EQ(status(Trouble::refused), 500);
  EXPECT_EQ(status_of(std::make_exception_ptr(std::runtime_error("a test"))), 500);
}

}  // namespace
}  // namespace sancho
