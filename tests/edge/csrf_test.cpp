#include "sancho/csrf.hpp"

#include <gtest/gtest.h>

#include <set>

#include "../support/counting_random.hpp"

namespace {
using sancho::check_csrf_token;
using sancho::mask_csrf_token;

sancho::CsrfSecret secret_of(unsigned char b) {
  sancho::CsrfSecret secret;
  secret.fill(std::byte{b});
  return secret;
}
const auto secret = secret_of(7);
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}  // namespace

// mask = 00 01 … 1f; Python: b64(1 + mask + mask ^ hmac(7*32, "form" + be64(8) + "transfer")).
TEST(CsrfToken, HasTheDocumentedBytes) {
  sancho::test::CountingRandom random;
  const auto token = mask_csrf_token(secret, "transfer", random);
  EXPECT_EQ(token, "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4frZcPYsa38kA85-kdbVB8WjziX_sJlfm_mqKJEMF_tWY");
  EXPECT_EQ(token.size(), sancho::csrf_token_size);
  EXPECT_TRUE(check_csrf_token(secret, "transfer", token));
}

TEST(CsrfToken, AThousandRenderingsAreAThousandTokensAndAllAreGood) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto token = mask_csrf_token(secret, "transfer", sancho::system_random());
    EXPECT_TRUE(check_csrf_token(secret, "transfer", token));
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(CsrfToken, F21AnotherSessionsOrAnotherFormsTokenIsRefused) {
  const auto token = mask_csrf_token(secret, "transfer", sancho::system_random());
  EXPECT_FALSE(check_csrf_token(secret_of(8), "transfer", token));
  for (const auto form : {"", "transfe", "transfers", "Transfer", "delete"}) EXPECT_FALSE(check_csrf_token(secret, form, token));
  EXPECT_TRUE(check_csrf_token(secret, "", mask_csrf_token(secret, "", sancho::system_random())));
}

TEST(CsrfToken, F21TruncatedExtendedAndPaddedTokensAreRefused) {
  const auto token = mask_csrf_token(secret, "f", sancho::system_random());
  for (std::size_t n = 0; n < token.size(); ++n) EXPECT_FALSE(check_csrf_token(secret, "f", token.substr(0, n)));
  for (const auto tail : {"A", "=", " ", "\n"}) EXPECT_FALSE(check_csrf_token(secret, "f", token + tail));
  EXPECT_FALSE(check_csrf_token(secret, "f", " " + token.substr(1)));
  EXPECT_FALSE(check_csrf_token(secret, "f", ""));
}

// Every other character in every place, the unused low bits of the last one
// included: there is one spelling and no more.
TEST(CsrfToken, F21EveryChangeOfOneCharacterIsRefused) {
  const auto token = mask_csrf_token(secret, "f", sancho::system_random());
  for (std::size_t at = 0; at < token.size(); ++at)
    for (const char c : alphabet) {
      auto other = token;
      if (other[at] == c) continue;
      other[at] = c;
      EXPECT_FALSE(check_csrf_token(secret, "f", other)) << at << c;
    }
}

// A masked token is two halves that only fit each other.
TEST(CsrfToken, HalvesOfTwoTokensDoNotFit) {
  sancho::test::CountingRandom random;
  const auto a = mask_csrf_token(secret, "f", random), b = mask_csrf_token(secret, "f", random);
  EXPECT_FALSE(check_csrf_token(secret, "f", a.substr(0, 44) + b.substr(44)));
  EXPECT_FALSE(check_csrf_token(secret, "f", std::string(87, 'A')));
}

TEST(CsrfToken, WithoutRandomnessThereIsNoToken) {
  sancho::test::FailingRandom none;
  EXPECT_THROW(mask_csrf_token(secret, "f", none), sancho::RandomError);
}

TEST(JsonOnly, RefusesWhatAFormOnAnotherSiteCanSend) {
  for (const auto type : {"application/json", "APPLICATION/JSON", "application/json; charset=utf-8", " application/json\t;x", "application/problem+json", "application/vnd.api+json"})
    EXPECT_TRUE(sancho::json_only(type)) << type;
  for (const auto type : {"", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=+json", "application/jsonp", "application/+json",
                          "application/", "text/json", "application/json, text/plain", "application/a b+json", "json", "application/json\v"})
    EXPECT_FALSE(sancho::json_only(type)) << type;
}
