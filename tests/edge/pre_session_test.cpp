#include "sancho/pre_session.hpp"

#include <gtest/gtest.h>

#include "../support/counting_random.hpp"
#include "sancho/error.hpp"

namespace {
using sancho::PreSessions;

PreSessions::Key key_of(unsigned char b) {
  PreSessions::Key key;
  key.fill(std::byte{b});
  return key;
}

std::string hex(const sancho::CsrfSecret& secret) {
  std::string out;
  for (const auto b : secret) out += "0123456789abcdef"[std::to_integer<int>(b) >> 4], out += "0123456789abcdef"[std::to_integer<int>(b) & 15];
  return out;
}
}  // namespace

// Computed with Python's hmac: key = 09 * 32, namespace "shop", r = 00 … 0f.
TEST(PreSession, HasTheDocumentedBytes) {
  const PreSessions pre("shop", {key_of(9)});
  sancho::test::CountingRandom random;
  const auto cookie = pre.issue(random);
  EXPECT_EQ(cookie, "AAECAwQFBgcICQoLDA0ODz5RY0Ovlv8Whc5c92hF0f_VfpJ2dPpk4TRmIlRqrGrq");
  const auto secret = pre.open(cookie);
  ASSERT_TRUE(secret);
  EXPECT_EQ(hex(*secret), "38d2ae91fb5f20a83b1bdfb02b10c56bfeee0fdd3b00b1719a8cccbb5649cbc5");
}

TEST(PreSession, ProtectsALoginFormWithoutASession) {
  const PreSessions pre("shop", {key_of(9)});
  const auto mine = pre.issue(sancho::system_random()), another = pre.issue(sancho::system_random());
  EXPECT_NE(mine, another);
  const auto token = sancho::mask_csrf_token(*pre.open(mine), "login", sancho::system_random());
  EXPECT_TRUE(sancho::check_csrf_token(*pre.open(mine), "login", token));
  EXPECT_FALSE(sancho::check_csrf_token(*pre.open(another), "login", token));
}

TEST(PreSession, AForeignKeyOrNamespaceOpensNothing) {
  const auto cookie = PreSessions("shop", {key_of(9)}).issue(sancho::system_random());
  EXPECT_FALSE(PreSessions("shop", {key_of(8)}).open(cookie));
  EXPECT_FALSE(PreSessions("admin", {key_of(9)}).open(cookie));
  EXPECT_FALSE(PreSessions("", {key_of(9)}).open(cookie));
}

TEST(PreSession, AKeyIsRotatedInWithoutLosingAnybody) {
  const auto old_cookie = PreSessions("shop", {key_of(1)}).issue(sancho::system_random());
  const auto old_secret = PreSessions("shop", {key_of(1)}).open(old_cookie);
  const PreSessions both("shop", {key_of(2), key_of(1)});
  EXPECT_EQ(both.open(old_cookie), old_secret);
  const auto new_cookie = both.issue(sancho::system_random());
  EXPECT_TRUE(PreSessions("shop", {key_of(2)}).open(new_cookie));
  EXPECT_FALSE(PreSessions("shop", {key_of(1)}).open(new_cookie));
  EXPECT_FALSE(PreSessions("shop", {key_of(2)}).open(old_cookie));
}

TEST(PreSession, EveryChangeTruncationAndExtensionOpensNothing) {
  const PreSessions pre("shop", {key_of(9)});
  const auto cookie = pre.issue(sancho::system_random());
  ASSERT_EQ(cookie.size(), 64u);
  for (std::size_t at = 0; at < cookie.size(); ++at) {
    EXPECT_FALSE(pre.open(cookie.substr(0, at)));
    for (const char c : std::string_view("AZaz09-_=+/ \0\xff", 14)) {
      auto other = cookie;
      if (other[at] == c) continue;
      other[at] = c;
      EXPECT_FALSE(pre.open(other)) << at;
    }
  }
  EXPECT_FALSE(pre.open(cookie + "A"));
  EXPECT_FALSE(pre.open(cookie + "="));
}

TEST(PreSession, WithoutKeyOrRandomnessNothingIsIssued) {
  EXPECT_THROW(PreSessions("shop", {}), sancho::ConfigError);
  sancho::test::FailingRandom none;
  EXPECT_THROW(PreSessions("shop", {key_of(9)}).issue(none), sancho::RandomError);
}
