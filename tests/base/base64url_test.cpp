#include "base/base64url.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/crypto.hpp"
#include "base/forty_three_letters.hpp"

namespace {
using sancho::as_bytes;
using sancho::base64url;
using sancho::from_base64url;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}  // namespace

// RFC 4648, section 10, without the padding.
TEST(Base64Url, HasTheValuesOfTheRfc) {
  const std::pair<const char*, const char*> rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  for (const auto& [plain, text] : rows) EXPECT_EQ(base64url(as_bytes(plain)), text);
}

TEST(Base64Url, DecodesWhatItEncodedForEveryLength) {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<std::byte> bytes(n), back(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 37 + n);
    EXPECT_TRUE(from_base64url(base64url(bytes), back));
    EXPECT_EQ(bytes, back);
  }
}

// All strings of two and three characters of the alphabet: exactly one for
// each value decodes.
TEST(Base64Url, EveryValueHasOneSpelling) {
  std::vector<std::byte> one(1), two(2);
  int good = 0;
  for (const char a : alphabet)
    for (const char b : alphabet) good += from_base64url(std::string{a, b}, one);
  EXPECT_EQ(good, 256);
  good = 0;
  for (const char a : alphabet)
    for (const char b : alphabet)
      for (const char c : alphabet) good += from_base64url(std::string{a, b, c}, two);
  EXPECT_EQ(good, 65536);
}

TEST(Base64Url, EveryOctetOutsideTheAlphabetIsRefused) {
  std::vector<std::byte> out(3);
  for (int c = 0; c < 256; ++c) {
    const std::string text = std::string("AA") + static_cast<char>(c) + "A";
    EXPECT_EQ(from_base64url(text, out), c != 0 && alphabet.find(static_cast<char>(c)) != std::string_view::npos) << c;
  }
}

// Wherever it stands among those that are read at once; and in the last place, where
// bits are left over, the letters that are not what encoding gives.
TEST(Base64Url, EveryPlaceIsLookedAt) {
  for (const std::size_t n : {1u, 2u, 8u, 11u, 12u, 13u, 24u, 32u, 35u}) {
    std::vector<std::byte> bytes(n), out(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 91 + 17);
    const auto text = base64url(bytes);
    for (std::size_t at = 0; at < text.size(); ++at)
      for (int c = 0; c < 256; ++c) {
        auto other = text;
        other[at] = static_cast<char>(c);
        const bool good = from_base64url(other, out);
        EXPECT_TRUE(!good || base64url(out) == other) << at << ' ' << c;
        const bool letter = c != 0 && alphabet.find(static_cast<char>(c)) != std::string_view::npos;
        EXPECT_TRUE(good == letter || (letter && at + 1 == text.size())) << at << ' ' << c;
      }
  }
}

TEST(Base64Url, AllAtOnceIsAsOneByOne) {
  std::uint64_t chance = 1;
  for (int round = 0; round < 10'000; ++round) {
    const auto draw = [&] { return (chance = chance * 6364136223846793005 + 1442695040888963407) >> 16; };
    const sancho::Twelve bytes{draw(), draw()};
    std::string letters(16, ' '), others(16, ' ');
    bytes.put_letters(letters.data());
    sancho::one_by_one::put_letters(bytes, others.data());
    ASSERT_EQ(letters, others);
    if (round % 2 != 0) letters[draw() % 16] = static_cast<char>(draw());
    sancho::Twelve at_once, one_by_one;
    const bool good = at_once.read_letters(letters.data());
    ASSERT_EQ(good, sancho::one_by_one::read_letters(one_by_one, letters.data())) << letters;
    if (good) {
      ASSERT_EQ(at_once.high, one_by_one.high);
      ASSERT_EQ(at_once.low, one_by_one.low);
    }
  }
}

// 32 bytes are read in another way than the rest, where the processor has it.
TEST(Base64Url, BothWaysOfReadingAnIdAgree) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("ssse3")) GTEST_SKIP() << "this processor has one way only";
  std::array<std::byte, 32> bytes, one, other;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 151 + 3);
  const auto text = base64url(bytes);
  for (std::size_t at = 0; at < text.size(); ++at)
    for (int c = 0; c < 256; ++c) {
      auto changed = text;
      changed[at] = static_cast<char>(c);
      const bool good = sancho::forty_three::by_lanes(changed.data(), one.data());
      ASSERT_EQ(sancho::forty_three::by_rows(changed.data(), other.data()), good) << at << ' ' << c;
      if (good) {
        ASSERT_EQ(one, other) << at << ' ' << c;
      }
    }
#else
  GTEST_SKIP() << "there is one way only";
#endif
}

TEST(Base64Url, AnotherLengthIsRefused) {
  std::vector<std::byte> out(3);
  for (const auto text : {"", "A", "AA", "AAA", "AAAAA", "AAAA=", "AAA="}) EXPECT_FALSE(from_base64url(text, out)) << text;
}
