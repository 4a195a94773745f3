#include <gtest/gtest.h>

#include "sancho/origin_guard.hpp"

namespace {
using sancho::Origin;
std::string parsed(std::string_view text) {
  const auto origin = Origin::parse(text);
  return origin ? origin->text() : "nothing";
}
std::string of_url(std::string_view text) {
  const auto origin = Origin::of_url(text);
  return origin ? origin->text() : "nothing";
}
}  // namespace

TEST(Origin, HasOneSpelling) {
  EXPECT_EQ(parsed("https://shop.example"), "https://shop.example:443");
  EXPECT_EQ(parsed("https://shop.example:443"), "https://shop.example:443");
  EXPECT_EQ(parsed("HTTPS://Shop.EXAMPLE"), "https://shop.example:443");
  EXPECT_EQ(parsed("http://shop.example"), "http://shop.example:80");
  EXPECT_EQ(parsed("http://localhost:8080"), "http://localhost:8080");
  EXPECT_EQ(parsed("http://127.0.0.1:65535"), "http://127.0.0.1:65535");
  EXPECT_EQ(parsed("http://[::1]:8080"), "http://[::1]:8080");
  EXPECT_EQ(parsed("http://[0:0:0:0:0:0:0:1]"), "http://[::1]:80");
  EXPECT_EQ(parsed("https://[2001:DB8::A]"), "https://[2001:db8::a]:443");
}

TEST(Origin, IsNothingButSchemeHostAndPort) {
  for (const auto text : {"", "null", "shop.example", "//shop.example", "https:", "https://", "https:///", "ftp://shop.example", "javascript://shop.example", "https//shop.example",
                          "https://shop.example/", "https://shop.example/path", "https://shop.example?x", "https://user@shop.example", "https://shop.example@evil.example",
                          "https://shop.example https://evil.example", "https://shop.example, https://evil.example", " https://shop.example", "https://shop.example ",
                          "https://shop.example\\.evil.example", "https://shop%2eexample", "https://shop.example:", "https://shop.example:0", "https://shop.example:0443",
                          "https://shop.example:65536", "https://shop.example:999999", "https://shop.example:-1", "https://shop.example:44a", "https://:443", "https://.shop.example",
                          "https://b\xc3\xbc" "cher.example", "https://[::1", "https://[]", "https://[127.0.0.1]", "https://[::1]x", "https://[::1%25eth0]", "https://::1"})
    EXPECT_EQ(parsed(text), "nothing") << text;
  EXPECT_EQ(parsed(std::string_view("https://a\0b", 11)), "nothing");
}

TEST(Origin, OfAnAddressEndsWhereTheHostDoes) {
  for (const auto url : {"https://shop.example", "https://shop.example/", "https://shop.example/a?b#c", "https://shop.example?x", "https://shop.example#x", "https://shop.example:443/@evil"})
    EXPECT_EQ(of_url(url), "https://shop.example:443") << url;
  EXPECT_EQ(of_url("https://shop.example.attacker.com/"), "https://shop.example.attacker.com:443");
  for (const auto url : {"", "about:blank", "https://shop.example@evil.example/", "https://shop.example:pw@evil.example/", "https://shop.example\\@evil.example", "https://shop.example\t/",
                         "https://shop.example%2f.evil.example/", "data:text/html,x", "/relative"})
    EXPECT_EQ(of_url(url), "nothing") << url;
}
