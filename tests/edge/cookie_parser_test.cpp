// The rules of reading cookies, each under its number: K1 to K7, K9, K10 (K8,
// the gate for ids, is with the ids; K11 with the builder; K12 with the cost).
#include "sancho/cookie.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {
using namespace std::string_literals;
using sancho::Cookie;
using sancho::find_cookie;
using sancho::FoundCookie;
using sancho::parse_cookies;
using Outcome = FoundCookie::Outcome;

constexpr std::string_view sid = "__Host-sid";

struct Row {
  std::string header;
  Outcome outcome;
  std::string value = "";
};

void expect(const std::vector<Row>& rows, std::string_view name = sid) {
  for (const auto& row : rows) {
    const auto found = find_cookie(row.header, name);
    EXPECT_EQ(found.outcome, row.outcome) << row.header.substr(0, 200);
    EXPECT_EQ(found.value, row.value) << row.header.substr(0, 200);
    const auto again = parse_cookies(row.header).find(name);
    EXPECT_EQ(again.outcome, row.outcome) << "in the list: " << row.header.substr(0, 200);
    EXPECT_EQ(again.value, row.value) << "in the list: " << row.header.substr(0, 200);
  }
}

std::vector<Cookie> all(std::string_view header) {
  const auto cookies = parse_cookies(header);
  return {cookies.begin(), cookies.end()};
}
}  // namespace

TEST(CookieParser, OrdinaryHeadersGiveTheOneValue) {
  expect({{"__Host-sid=v", Outcome::found, "v"},
          {"a=1; __Host-sid=v", Outcome::found, "v"},
          {"__Host-sid=v; a=1", Outcome::found, "v"},
          {"a=1;__Host-sid=v;b=2", Outcome::found, "v"},
          {"__Host-sid=", Outcome::found, ""},
          {"__Host-sid=a=b==", Outcome::found, "a=b=="},
          {"", Outcome::absent},
          {";", Outcome::absent},
          {"a=1; b=2", Outcome::absent}});
}

TEST(CookieParser, K1NamesAndValuesAreNeverDecoded) {
  expect({{"%5F%5FHost-sid=evil", Outcome::absent},
          {"__Host%2Dsid=evil", Outcome::absent},
          {"x=%3B%20__Host-sid=evil", Outcome::absent},
          {"__Host-sid=%41+%zz", Outcome::found, "%41+%zz"},
          {"__Host-sid=\xc3\xa4\xff", Outcome::found, "\xc3\xa4\xff"},
          {"__Host-sid=a\0b"s, Outcome::found, "a\0b"s}});
}

TEST(CookieParser, K2OnlySemicolonSplitsAndOnlySpaceAndTabAreStripped) {
  expect({{" \t __Host-sid=v\t ;\t", Outcome::found, "v"},
          {"a=1, __Host-sid=evil", Outcome::absent},
          {"a=1& __Host-sid=evil", Outcome::absent},
          {"a=1\n__Host-sid=evil", Outcome::absent},
          {"a=1\r\nCookie: __Host-sid=evil", Outcome::absent},
          {"\xe2\x80\x80__Host-sid=evil", Outcome::absent},   // U+2000, as a browser sent it
          {"a=1; \xc2\xa0__Host-sid=evil", Outcome::absent},  // no-break space
          {"\xe2\x80\xa8__Host-sid=evil", Outcome::absent},   // line separator
          {"\v__Host-sid=evil", Outcome::absent},
          {"\f__Host-sid=evil", Outcome::absent},
          {"\r__Host-sid=evil", Outcome::absent},
          {"\n__Host-sid=evil", Outcome::absent},
          {"\0__Host-sid=evil"s, Outcome::absent},
          {"__Host-sid =evil", Outcome::absent},  // around pairs, not around `=`
          {"__Host-sid= v", Outcome::found, " v"},
          {"__Host-sid=v\xe2\x80\x80", Outcome::found, "v\xe2\x80\x80"}});
}

TEST(CookieParser, K3APairWithoutANameIsDroppedAndNeverSplitAgain) {
  expect({{"=__Host-sid=evil", Outcome::absent},
          {"==__Host-sid=evil", Outcome::absent},
          {"; =; ==; __Host-sid", Outcome::absent},
          {"__Host-sid; a=1", Outcome::absent},
          {"__Host-sid=v; __Host-sid", Outcome::found, "v"},
          {"=x; __Host-sid=v", Outcome::found, "v"}});
}

TEST(CookieParser, K4QuotesSpanNoSemicolonAndDollarsAreOrdinary) {
  expect({{R"(q="a; __Host-sid=v; b")", Outcome::found, "v"},
          {R"($Version=1; __Host-sid=v; $Path="/")", Outcome::found, "v"},
          {R"(__Host-sid="v")", Outcome::found, "\"v\""},
          {R"(__Host-sid="v; x=y")", Outcome::found, "\"v"},
          {R"(a="\"; __Host-sid=v)", Outcome::found, "v"}});
  EXPECT_EQ(all(R"($Version=1; q="a; b")"), (std::vector<Cookie>{{"$Version", "1"}, {"q", "\"a"}}));
}

TEST(CookieParser, K5NamesMatchByteByByte) {
  expect({{"__host-sid=evil", Outcome::absent},
          {"__HOST-SID=evil", Outcome::absent},
          {"..Host-sid=evil", Outcome::absent},
          {"__Host.sid=evil", Outcome::absent},
          {"_ Host-sid=evil", Outcome::absent},
          {"  Host-sid=evil", Outcome::absent},
          {"__Host-sid2=evil", Outcome::absent},
          {"x__Host-sid=evil", Outcome::absent},
          {"__Host-sid[]=evil", Outcome::absent},
          {"__Host-si=evil", Outcome::absent}});
  expect({{"=v", Outcome::absent}}, "");
  expect({{"a=b=c", Outcome::absent}}, "a=b");
}

TEST(CookieParser, K6OurNameTwiceIsAmbiguousWhateverTheOrderOrTheValues) {
  expect({{"__Host-sid=evil; __Host-sid=v", Outcome::ambiguous},
          {"__Host-sid=v; __Host-sid=evil", Outcome::ambiguous},
          {"__Host-sid=v; __Host-sid=v", Outcome::ambiguous},
          {"__Host-sid=v; a=1; __Host-sid=", Outcome::ambiguous},
          {"__Host-sid=\x01; __Host-sid=v", Outcome::ambiguous},
          {"__Host-sid=1; __Host-sid=2; __Host-sid=3", Outcome::ambiguous},
          {"a=1; a=2; __Host-sid=v", Outcome::found, "v"}});
}

TEST(CookieParser, K7SeveralLinesAreReadAsOne) {
  const std::vector<std::vector<std::string_view>> cases = {
      {}, {""}, {"a=1", "__Host-sid=v"}, {"__Host-sid=v", "a=1"}, {"__Host-sid=v", "__Host-sid=w"}, {"a=\"", "__Host-sid=v", "b=\""}, {"__Host-", "sid=v"}, {"", "__Host-sid=v;", ""}};
  for (const auto& lines : cases) {
    std::string joined;
    for (const auto line : lines) joined.append(joined.empty() && line.data() == lines.front().data() ? "" : "; ").append(line);
    const auto one = find_cookie(joined, sid);
    const auto many = find_cookie(std::span{lines}, sid);
    EXPECT_EQ(one.outcome, many.outcome) << joined;
    EXPECT_EQ(one.value, many.value) << joined;
    const auto list = parse_cookies(std::span{lines}).find(sid);
    EXPECT_EQ(one.outcome, list.outcome) << joined;
  }
  const std::string_view two[] = {"__Host-sid=v", "__Host-sid=w"};
  EXPECT_EQ(find_cookie(two, sid).outcome, Outcome::ambiguous);
}

TEST(CookieParser, K9BeyondSixteenKibibytesNothingIsBelieved) {
  std::string header = "__Host-sid=v";
  while (header.size() + 4000 < sancho::max_cookie_bytes) header += "; a=" + std::string(3996, 'x');
  header += "; b=" + std::string(sancho::max_cookie_bytes - header.size() - 4, 'x');
  ASSERT_EQ(header.size(), sancho::max_cookie_bytes);
  expect({{header, Outcome::found, "v"}, {header + "x", Outcome::over_limits}, {header + ";", Outcome::over_limits}});

  // The same for lines, which count as joined.
  const auto half = header.substr(0, header.find(';'));
  const std::string_view exact[] = {half, std::string_view(header).substr(half.size() + 2)};
  EXPECT_EQ(find_cookie(exact, sid).outcome, Outcome::found);
  const auto longer = header.substr(half.size() + 2) + "x";
  const std::string_view beyond[] = {half, longer};
  EXPECT_EQ(find_cookie(beyond, sid).outcome, Outcome::over_limits);
  EXPECT_EQ(find_cookie(std::vector<std::string_view>(8194), sid).outcome, Outcome::over_limits);
}

TEST(CookieParser, K9BeyondTwoHundredPairsNothingIsBelieved) {
  std::string header = "__Host-sid=v";
  for (int i = 1; i < 200; ++i) header += ";;; a=" + std::to_string(i);  // blank ones count for nothing
  expect({{header, Outcome::found, "v"}, {header + "; b=1", Outcome::over_limits}, {header + "; nonsense", Outcome::over_limits}});
}

TEST(CookieParser, K9BeyondFourKibibytesInAPairNothingIsBelieved) {
  const auto fits = "a=" + std::string(4095, 'x');
  expect({{"__Host-sid=v;   " + fits + "   ", Outcome::found, "v"},
          {"__Host-sid=v; " + fits + "x", Outcome::over_limits},
          {"__Host-sid=v; " + std::string(4098, 'x'), Outcome::over_limits}});
}

TEST(CookieParser, K9AHeaderOverTheLimitsGivesNoPairs) {
  const auto cookies = parse_cookies("a=1; b=" + std::string(5000, 'x'));
  EXPECT_TRUE(cookies.over_limits());
  EXPECT_EQ(cookies.size(), 0u);
}

TEST(CookieParser, K10OtherPeoplesGarbageIsPassedOver) {
  expect({{"\xff\xfe\x01; ;;=;\"\"\"; [x]{y}; __Host-sid=v; @@=@@; \x7f=\x7f", Outcome::found, "v"}});
  EXPECT_EQ(all("junk; =x; a=1;; ; b=\"; c[d]=e"), (std::vector<Cookie>{{"a", "1"}, {"b", "\""}, {"c[d]", "e"}}));
}

// F23: what turned into a forged `__Host-` cookie elsewhere.
TEST(CookieParser, NoSpoofedPrefixResolvesToOurName) {
  expect({{"%5F%5FHost-sid=evil", Outcome::absent},
          {"\xe2\x80\x80__Host-sid=evil", Outcome::absent},
          {"=__Host-sid=evil", Outcome::absent},
          {"__host-sid=evil", Outcome::absent},
          {"..Host-sid=evil", Outcome::absent},
          {"$Version=1,__Host-sid=evil", Outcome::absent},
          {R"(a="; __Host-sid2=evil; b=")", Outcome::absent}});
}
