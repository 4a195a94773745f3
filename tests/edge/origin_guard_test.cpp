// F37: the matrix of Sec-Fetch-Site, Origin, Referer and method.
#include "sancho/origin_guard.hpp"

#include <gtest/gtest.h>

#include "sancho/error.hpp"

namespace {
using sancho::OriginGuard;
using sancho::OriginOptions;
using sancho::OriginReason;
using enum OriginReason;

const OriginOptions shop{.own = {"https://shop.example"}, .trusted = {"https://pay.example:8443", "http://old.example"}};

struct Row {
  std::string_view site, origin, referer;
  OriginReason reason;
};

void expect(const OriginGuard& guard, const std::vector<Row>& rows, std::string_view method = "POST") {
  for (const auto& row : rows) {
    const auto verdict = guard.check({.method = method, .sec_fetch_site = row.site, .origin = row.origin, .referer = row.referer});
    EXPECT_EQ(to_string(verdict.reason), to_string(row.reason)) << method << " site=" << row.site << " origin=" << row.origin << " referer=" << row.referer;
    EXPECT_EQ(verdict.pass, row.reason < blocked_same_site);
  }
}

constexpr std::string_view own = "https://shop.example", evil = "https://evil.example";
}  // namespace

TEST(OriginGuard, F37FetchMetadataDecidesWhereItIsKnown) {
  expect(OriginGuard(shop), {
    {"same-origin", "", "", same_origin},
    {"same-origin", own, "", same_origin},
    {"same-origin", "null", "", same_origin},  // a page with Referrer-Policy: no-referrer
    {"none", "", "", user_initiated},
    {"same-site", "", "", blocked_same_site},
    {"same-site", "https://blog.shop.example", "", blocked_same_site},
    {"same-site", own, "", known_origin},
    {"cross-site", "", "", blocked_cross_site},
    {"cross-site", evil, "", blocked_cross_site},
    {"cross-site", "null", "", blocked_cross_site},
    {"cross-site", "", "https://shop.example/", blocked_cross_site},
    {"cross-site", "https://pay.example:8443", "", known_origin},
    {"cross-site", "https://pay.example", "", blocked_cross_site},       // another port
    {"cross-site", "http://pay.example:8443", "", blocked_cross_site},   // another scheme
    {"cross-site", "http://old.example", "", known_origin},              // named with its scheme
    {"cross-site", "https://old.example", "", blocked_cross_site},
  });
}

TEST(OriginGuard, F37UnknownFetchMetadataIsAsIfItWereAbsent) {
  for (const std::string_view site : {"", "Same-Origin", "same-origin, cross-site", "same-origin ", "future", "none, none", "\x01"})
    expect(OriginGuard(shop), {
      {site, own, "", known_origin},
      {site, "https://shop.example:443", "", known_origin},
      {site, "HTTPS://SHOP.EXAMPLE", "", known_origin},
      {site, "https://pay.example:8443", "", known_origin},
      {site, "http://old.example:80", "", known_origin},
      {site, "null", "", blocked_null_origin},
      {site, "null", "https://shop.example/", blocked_null_origin},
      {site, evil, "", blocked_origin},
      {site, evil, "https://shop.example/", blocked_origin},
      {site, "http://shop.example", "", blocked_origin},
      {site, "https://shop.example:8443", "", blocked_origin},
      {site, "https://shop.example.attacker.com", "", blocked_origin},
      {site, "https://attacker-shop.example", "", blocked_origin},
      {site, "https://shop.example, https://evil.example", "", blocked_origin},
      {site, "garbage", "", blocked_origin},
      {site, "", "https://shop.example/form?x=1", known_referer},
      {site, "", "https://pay.example:8443/", known_referer},
      {site, "", "https://evil.example/?https://shop.example/", blocked_referer},
      {site, "", "https://shop.example.attacker.com/", blocked_referer},
      {site, "", "https://shop.example@evil.example/", blocked_referer},
      {site, "", "http://shop.example/", blocked_referer},
      {site, "", "", blocked_nothing_known},
    });
}

TEST(OriginGuard, F37OnlyGetHeadAndOptionsAreSafe) {
  for (const auto method : {"GET", "HEAD", "OPTIONS"}) expect(OriginGuard(shop), {{"cross-site", evil, "", safe_method}, {"", "", "", safe_method}}, method);
  for (const auto method : {"POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "get", "Head", "", "GET ", "GETX"})
    expect(OriginGuard(shop), {{"cross-site", evil, "", blocked_cross_site}, {"", "", "", blocked_nothing_known}, {"", own, "", known_origin}}, method);
}

TEST(OriginGuard, ALargerCircleIsSpeltOut) {
  auto options = shop;
  options.allow_same_site = true;
  expect(OriginGuard(options), {{"same-site", "https://blog.shop.example", "", same_site}, {"cross-site", evil, "", blocked_cross_site}, {"", "https://blog.shop.example", "", blocked_origin}});
  options = shop;
  options.allow_unknown = true;
  expect(OriginGuard(options), {{"", "", "", nothing_known}, {"", "null", "", blocked_null_origin}, {"", evil, "", blocked_origin}});
}

TEST(OriginGuard, LogOnlyPassesAndStillSaysWhatItWouldBlock) {
  auto options = shop;
  options.log_only = true;
  const auto verdict = OriginGuard(options).check({.method = "POST", .sec_fetch_site = "cross-site", .origin = evil});
  EXPECT_TRUE(verdict.pass);
  EXPECT_TRUE(verdict.blocked());
  EXPECT_EQ(verdict.reason, blocked_cross_site);
}

TEST(OriginGuard, TheHostHeaderCountsOnlyForLoopbackAndOnlyWhenAskedFor) {
  const auto decide = [](const OriginOptions& options, std::string_view origin, std::string_view host, bool https = false) {
    return OriginGuard(options).check({.method = "POST", .origin = origin, .host = host, .https = https}).reason;
  };
  const OriginOptions loopback{.own_from_loopback_host = true};
  EXPECT_EQ(decide(loopback, "http://localhost:8080", "localhost:8080"), known_origin);
  EXPECT_EQ(decide(loopback, "http://127.0.0.1:8080", "127.0.0.1:8080"), known_origin);
  EXPECT_EQ(decide(loopback, "http://[::1]:8080", "[::1]:8080"), known_origin);
  EXPECT_EQ(decide(loopback, "https://localhost", "localhost", true), known_origin);
  EXPECT_EQ(decide(loopback, "https://localhost:8080", "localhost:8080"), blocked_origin);
  EXPECT_EQ(decide(loopback, "http://localhost:8081", "localhost:8080"), blocked_origin);
  EXPECT_EQ(decide(loopback, "http://127.0.0.1:8080", "localhost:8080"), blocked_origin);
  EXPECT_EQ(decide(loopback, "http://evil.example:8080", "evil.example:8080"), blocked_origin);  // a name bound to our address
  EXPECT_EQ(decide(loopback, "http://127.0.0.1.evil.example", "127.0.0.1.evil.example"), blocked_origin);
  EXPECT_EQ(decide(loopback, "http://localhost", ""), blocked_origin);
  EXPECT_EQ(decide(shop, "http://localhost:8080", "localhost:8080"), blocked_origin);
}

TEST(OriginGuard, ItsOriginsAreWholeOrRefusedAtStartUp) {
  EXPECT_THROW(OriginGuard(OriginOptions{}), sancho::ConfigError);
  for (const auto text : {"shop.example", "https://shop.example/", "*", "https://*.shop.example", "null", ""}) {
    EXPECT_THROW(OriginGuard({.own = {text}}), sancho::ConfigError) << text;
    EXPECT_THROW(OriginGuard({.own = {"https://shop.example"}, .trusted = {text}}), sancho::ConfigError) << text;
  }
}
