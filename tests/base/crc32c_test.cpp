#include "base/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

using sancho::crc32c;

// RFC 3720, appendix B.4.
TEST(Crc32c, HasTheValuesOfTheRfc) {
  std::string up(32, '\0'), down(32, '\0');
  for (int i = 0; i < 32; ++i) up[static_cast<std::size_t>(i)] = static_cast<char>(i), down[static_cast<std::size_t>(i)] = static_cast<char>(31 - i);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(up), 0x46dd794eu);
  EXPECT_EQ(crc32c(down), 0x113fdb5cu);
  const unsigned char read[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(crc32c({reinterpret_cast<const char*>(read), sizeof read}), 0xd9963a56u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const std::string text = "the checksum of a whole is that of its parts, wherever they are cut";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    EXPECT_EQ(crc32c(text.substr(n), crc32c(text.substr(0, n))), crc32c(text));
    const std::string_view whole = text, parts[] = {whole.substr(0, n), whole.substr(n)};
    EXPECT_EQ(crc32c(parts), crc32c(text));
  }
}

// However long it is, and whichever way the processor takes it: by bytes it takes one.
TEST(Crc32c, OfAnyLengthIsThatOfItsBytes) {
  std::string text;
  std::uint32_t by_bytes = 0x9d5ca3e1;
  const auto start = by_bytes;
  for (int n = 0; n < 1200; ++n) {
    ASSERT_EQ(crc32c(text, start), by_bytes) << n;
    text.push_back(static_cast<char>(n * 131 + n / 7));
    by_bytes = crc32c(std::string_view(text).substr(text.size() - 1), by_bytes);
  }
}

TEST(Crc32c, OfColumnsIsThatOfTheirBytes) {
  const std::string_view whole = "\x07\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10" "a handle, a subject and a text";
  for (std::size_t n = 17; n <= whole.size(); ++n) {
    const std::string_view parts[] = {whole.substr(17, n - 17), whole.substr(n)};
    EXPECT_EQ(crc32c(7, 0x0123456789abcdef, 0xfedcba9876543210, parts), crc32c(whole));
  }
}
