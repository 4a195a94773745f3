// What is written is read back, and whatever is read is part of what was sent.
// RapidCheck prints the seed of a failure; RC_PARAMS=seed=… repeats it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "sancho/cookie.hpp"

namespace {
using Outcome = sancho::FoundCookie::Outcome;

constexpr std::string_view token_chars = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
constexpr std::string_view value_chars = "!#$%&'()*+-./0123456789:<=>?@AZ[]^_`az{|}~";

rc::Gen<std::string> text_of(std::string_view alphabet, std::size_t least) {
  return rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::elementOf(std::string(alphabet))),
                           [least](const std::string& s) { return s.size() >= least && s.size() < 100; });
}

// Bytes in which what matters is frequent.
rc::Gen<std::string> hostile() {
  return rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::elementOf(std::string(";;==  \t\"sid")), rc::gen::arbitrary<char>()));
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}
}  // namespace

TEST(CookieProperty, WhatIsWrittenIsReadBack) {
  EXPECT_TRUE(rc::check([] {
    const auto name = *text_of(token_chars, 1);
    const auto value = *text_of(value_chars, 0);
    const auto header = sancho::SetCookie({.name = "x" + name}).build(value);
    const auto pair = header.substr(0, header.find(';'));  // what a browser sends
    const auto found = sancho::find_cookie("a=1; " + pair + "; b=2", "x" + name);
    RC_ASSERT(found.outcome == Outcome::found);
    RC_ASSERT(sancho::find_cookie(pair, "x" + name).value == value);
  }));
}

TEST(CookieProperty, EveryNameAndValueIsPartOfTheHeader) {
  EXPECT_TRUE(rc::check([] {
    const auto header = *hostile();
    for (const auto& cookie : sancho::parse_cookies(header)) {
      RC_ASSERT(inside(cookie.name, header) && inside(cookie.value, header));
      RC_ASSERT(!cookie.name.empty());
      RC_ASSERT(cookie.name.find_first_of(";=") == std::string_view::npos);
      RC_ASSERT(cookie.value.find(';') == std::string_view::npos);
    }
  }));
}

TEST(CookieProperty, SearchingAHeaderAndSearchingItsListAgree) {
  EXPECT_TRUE(rc::check([] {
    const auto header = *hostile();
    for (const auto name : {"s", "sid", "i", "", "s=", "sid=;"}) {
      const auto one = sancho::find_cookie(header, name), other = sancho::parse_cookies(header).find(name);
      RC_ASSERT(one.outcome == other.outcome && one.value == other.value);
    }
  }));
}

TEST(CookieProperty, LinesAreTheSameAsTheirJoin) {
  EXPECT_TRUE(rc::check([] {
    const auto a = *hostile(), b = *hostile();
    const std::string_view lines[] = {a, b};
    const auto joined = a + "; " + b;
    const auto one = sancho::find_cookie(lines, "s"), other = sancho::find_cookie(joined, "s");
    RC_ASSERT(one.outcome == other.outcome && one.value == other.value);
  }));
}
