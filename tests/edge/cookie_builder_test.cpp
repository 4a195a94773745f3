#include "sancho/cookie.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "sancho/error.hpp"

namespace {
using namespace std::string_literals;
using sancho::ConfigError;
using sancho::CookieAttributes;
using sancho::CookieOptions;
using sancho::SameSite;
using sancho::SetCookie;
using sancho::UsageError;
using std::chrono::seconds;
}  // namespace

TEST(CookieBuilder, TheSessionsCookieIsStrictByDefault) {
  const SetCookie cookie(CookieOptions{}.attributes());
  EXPECT_EQ(cookie.build("v"), "__Host-Http-sid=v; Path=/; Secure; HttpOnly; SameSite=Lax");
}

TEST(CookieBuilder, TheDevelopmentCookieIsAPlainSidAndSaysSo) {
  const auto options = CookieOptions::insecure_dev();
  EXPECT_TRUE(options.plain_http);
  EXPECT_FALSE(CookieOptions{}.plain_http);
  EXPECT_EQ(SetCookie(options.attributes()).build("v"), "sid=v; Path=/; HttpOnly; SameSite=Lax");
}

TEST(CookieBuilder, EveryAttributeIsWrittenOnceAndInOrder) {
  const SetCookie cookie({.name = "c", .path = "/a", .domain = "shop.example", .same_site = SameSite::none, .max_age = seconds{60}, .partitioned = true});
  EXPECT_EQ(cookie.build("v"), "c=v; Path=/a; Domain=shop.example; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=60");
  EXPECT_EQ(cookie.build("v", std::nullopt), "c=v; Path=/a; Domain=shop.example; Secure; HttpOnly; SameSite=None; Partitioned");
  const SetCookie plain({.name = "c", .secure = false, .http_only = false, .same_site = SameSite::strict});
  EXPECT_EQ(plain.build(""), "c=; Path=/; SameSite=Strict");
  EXPECT_EQ(plain.build("v", seconds{34'560'000}), "c=v; Path=/; SameSite=Strict; Max-Age=34560000");
}

TEST(CookieBuilder, TheRemovalHasTheSameNamePathAndFlags) {
  EXPECT_EQ(SetCookie(CookieOptions{}.attributes()).removal(),
            "__Host-Http-sid=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  const SetCookie cookie({.name = "c", .path = "/a", .domain = "shop.example", .same_site = SameSite::none, .max_age = seconds{60}, .partitioned = true});
  EXPECT_EQ(cookie.removal(),
            "c=; Path=/a; Domain=shop.example; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(CookieBuilder, APrefixIsRefusedWithoutWhatItPromisesInWhateverCase) {
  struct Row {
    std::string name;
    bool needs_http_only, needs_host;
  };
  const std::vector<Row> rows = {{"__Secure-c", false, false}, {"__SECURE-c", false, false}, {"__Host-c", false, true},   {"__host-c", false, true},
                                 {"__hOsT-c", false, true},    {"__Http-c", true, false},    {"__HTTP-c", true, false},   {"__Host-Http-c", true, true},
                                 {"__host-http-c", true, true}, {"__HOST-Http-c", true, true}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_NO_THROW(SetCookie({.name = row.name}));
    EXPECT_THROW(SetCookie({.name = row.name, .secure = false}), ConfigError);
    const CookieAttributes script{.name = row.name, .http_only = false}, path{.name = row.name, .path = "/x"}, domain{.name = row.name, .domain = "shop.example"};
    if (row.needs_http_only) EXPECT_THROW(SetCookie{script}, ConfigError);
    else EXPECT_NO_THROW(SetCookie{script});
    if (row.needs_host) EXPECT_THROW(SetCookie{path}, ConfigError);
    else EXPECT_NO_THROW(SetCookie{path});
    if (row.needs_host) EXPECT_THROW(SetCookie{domain}, ConfigError);
    else EXPECT_NO_THROW(SetCookie{domain});
  }
  EXPECT_NO_THROW(SetCookie({.name = "_Host-c", .path = "/x", .secure = false}));
}

TEST(CookieBuilder, SameSiteNoneAndPartitionedNeedSecure) {
  EXPECT_THROW(SetCookie({.name = "c", .secure = false, .same_site = SameSite::none}), ConfigError);
  EXPECT_THROW(SetCookie({.name = "c", .secure = false, .partitioned = true}), ConfigError);
}

TEST(CookieBuilder, ANameIsAToken) {
  for (const auto& name : {""s, " "s, "a b"s, "a=b"s, "a;b"s, "a,b"s, "\"a\""s, "a\r\nX: y"s, "a\0"s, "\xc3\xa4"s, "a/b"s, "a[b]"s, "a\x7f"s})
    EXPECT_THROW(SetCookie({.name = name}), ConfigError) << name;
  EXPECT_NO_THROW(SetCookie({.name = "!#$%&'*+-.^_`|~09azAZ"}));
}

TEST(CookieBuilder, F24NothingThatCouldEndAHeaderOrAnAttributeGetsIn) {
  const SetCookie cookie({.name = "c"});
  for (const auto& bad : {"\r"s, "\n"s, "\0"s, ";"s, "\r\nSet-Cookie: x=y"s, "\x01"s, "\x7f"s, "\t"s, " "s, "\xc3\xa4"s}) {
    EXPECT_THROW(SetCookie({.name = "c" + bad}), ConfigError);
    EXPECT_THROW(SetCookie({.name = "c", .path = "/a" + bad}), ConfigError);
    EXPECT_THROW(SetCookie({.name = "c", .domain = "a" + bad}), ConfigError);
    EXPECT_THROW(cookie.build("v" + bad), UsageError);
  }
  for (const auto& bad : {"\""s, ","s, "\\"s}) EXPECT_THROW(cookie.build(bad), UsageError);
}

TEST(CookieBuilder, EveryOctetOfAValueIsJudgedByTheGrammar) {
  const SetCookie cookie({.name = "c"});
  for (int c = 0; c < 256; ++c) {
    const bool legal = c == 0x21 || (c >= 0x23 && c <= 0x2b) || (c >= 0x2d && c <= 0x3a) || (c >= 0x3c && c <= 0x5b) || (c >= 0x5d && c <= 0x7e);
    const std::string value(1, static_cast<char>(c));
    if (legal) {
      EXPECT_EQ(cookie.build(value), "c=" + value + "; Path=/; Secure; HttpOnly; SameSite=Lax");
    } else {
      EXPECT_THROW(cookie.build(value), UsageError) << c;
    }
  }
}

// Values are looked at by sixteens.
TEST(CookieBuilder, AnOctetIsJudgedWhereverItStands) {
  const SetCookie cookie({.name = "c"});
  for (const std::size_t size : {2u, 15u, 16u, 17u, 32u, 43u})
    for (std::size_t at = 0; at < size; ++at)
      for (const char c : {'\0', ' ', '"', ',', ';', '\\', '\x7f', '\x80', '\xff'}) {
        std::string value(size, 'v');
        value[at] = c;
        EXPECT_THROW(cookie.build(value), UsageError) << size << ' ' << at << ' ' << static_cast<int>(c);
        value[at] = '~';
        EXPECT_NO_THROW(cookie.build(value)) << size << ' ' << at;
      }
}

TEST(CookieBuilder, APathBeginsWithASlashAndADomainIsAHostName) {
  for (const auto& path : {"", "a", "a/", "//\x7f"}) EXPECT_THROW(SetCookie({.name = "c", .path = path}), ConfigError) << path;
  for (const auto& domain : {".shop.example", "shop..example", "shop.example.", "shop_example", "a/b", "[::1]", "b\xc3\xbc" "cher.example"})
    EXPECT_THROW(SetCookie({.name = "c", .domain = domain}), ConfigError) << domain;
  EXPECT_NO_THROW(SetCookie({.name = "c", .path = "/a,b=%20'", .domain = "xn--bcher-kva.example"}));
}

TEST(CookieBuilder, NameAndValueFitIn4096BytesAndAttributesIn1024) {
  const SetCookie cookie({.name = "name"});
  EXPECT_NO_THROW(cookie.build(std::string(4092, 'x')));
  EXPECT_THROW(cookie.build(std::string(4093, 'x')), UsageError);
  EXPECT_NO_THROW(SetCookie({.name = std::string(4096, 'n')}).build(""));
  EXPECT_THROW(SetCookie({.name = std::string(4096, 'n')}).build("x"), UsageError);
  EXPECT_THROW(SetCookie({.name = std::string(4097, 'n')}), ConfigError);
  EXPECT_NO_THROW(SetCookie({.name = "c", .path = "/" + std::string(1023, 'p')}));
  EXPECT_THROW(SetCookie({.name = "c", .path = "/" + std::string(1024, 'p')}), ConfigError);
  EXPECT_NO_THROW(SetCookie({.name = "c", .domain = std::string(1024, 'd')}));
  EXPECT_THROW(SetCookie({.name = "c", .domain = std::string(1025, 'd')}), ConfigError);
}

TEST(CookieBuilder, K11MaxAgeIsBetweenOneSecondAnd400DaysAndNeverOverflows) {
  const SetCookie cookie({.name = "c"});
  for (const auto s : {seconds::max(), seconds::min(), seconds{0}, seconds{-1}, seconds{34'560'001}, seconds{std::int64_t{1} << 32}}) {
    EXPECT_THROW(SetCookie({.name = "c", .max_age = s}), ConfigError) << s.count();
    EXPECT_THROW(cookie.build("v", s), UsageError) << s.count();
  }
  EXPECT_NO_THROW(SetCookie({.name = "c", .max_age = seconds{1}}));
  EXPECT_NO_THROW(SetCookie({.name = "c", .max_age = seconds{34'560'000}}));
}

TEST(CookieBuilder, NoMessageQuotesTheValue) {
  try {
    SetCookie({.name = "c"}).build("canary;");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_EQ(std::string(e.what()).find("canary"), std::string::npos);
  }
}
