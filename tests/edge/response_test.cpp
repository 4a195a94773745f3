// Responses that wait until a session is saved.
#include "sancho/response.hpp"

#include <gmock/gmock.h>

#include "sancho/adapter.hpp"
#include "sancho/error.hpp"

namespace sancho {
namespace {

using testing::ElementsAre;

TEST(ResponseTest, SetsInsteadOfAllOfTheNameAndAddsBesides) {
  Response response;
  response.add("Vary", "Accept");
  response.add("vary", "Cookie");
  EXPECT_TRUE(response.has("VARY", "Cookie"));
  EXPECT_FALSE(response.has("Vary", "cookie"));
  response.set("VARY", "*");
  EXPECT_THAT(response.lines(), ElementsAre(HeaderLine{"VARY", "*"}));
}

TEST(ResponseTest, ALineMayBeSetToWhatItWas) {
  Response response;
  response.add("Location", "/a/place/whose/name/is/longer/than/what/a/string/keeps/in/itself");
  response.redirect(response.lines().front().value);
  EXPECT_THAT(response.lines(), ElementsAre(HeaderLine{"Location", "/a/place/whose/name/is/longer/than/what/a/string/keeps/in/itself"}));
}

TEST(ResponseTest, NothingIsWrittenIntoAHeadThatIsNoLine) {
  Response response;
  using namespace std::string_view_literals;
  for (const auto value : {"a\r\nSet-Cookie: sid=1"sv, "a\nb"sv, "a\0b"sv, "\x7f"sv}) {
    EXPECT_THROW(response.add("X", value), UsageError);
    EXPECT_THROW(response.redirect(value), UsageError);
  }
  for (const auto name : {""sv, "X Y"sv, "X:"sv, "X\r\nY"sv, "\xc3\xa9"sv}) EXPECT_THROW(response.set(name, "a"), UsageError);
  EXPECT_TRUE(response.lines().empty());
  EXPECT_EQ(response.status, 200);
  response.add("X", "caf\xc3\xa9\t!");
}

TEST(ResponseTest, WhereItEndsIsTheServersToSay) {
  Response response;
  for (const auto name : {"Content-Length", "content-length", "Transfer-Encoding", "CONNECTION"}) {
    EXPECT_THROW(response.add(name, "7"), UsageError);
    EXPECT_THROW(response.set(name, "7"), UsageError);
  }
  EXPECT_TRUE(response.lines().empty());
}

TEST(ResponseTest, AFailureTakesTheHandlersPageAway) {
  Response response;
  response.set("X-Half", "done");
  response.text("half a page");
  response.stream = [](const Response::Send&) {};
  put_answer({.lines = {{"Set-Cookie", "sid="}, {"Cache-Control", "no-store"}, {"Vary", "Cookie"}}, .status = 503}, response);
  EXPECT_EQ(response.status, 503);
  EXPECT_FALSE(response.stream);
  EXPECT_EQ(response.body, plain_text(503));
  EXPECT_FALSE(response.has("X-Half", "done"));
  EXPECT_TRUE(response.has("Retry-After", "5"));
  EXPECT_TRUE(response.has("Set-Cookie", "sid="));  // a logout that acted at once
}

}  // namespace
}  // namespace sancho
