#include "crypto.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {
using namespace sancho;

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const auto b : bytes) out += "0123456789abcdef"[std::to_integer<int>(b) >> 4], out += "0123456789abcdef"[std::to_integer<int>(b) & 15];
  return out;
}

std::string hmac(const std::string& key, std::vector<std::string_view> parts) { return hex(hmac_sha256(as_bytes(key), parts)); }
}  // namespace

// FIPS 180-4's examples.
TEST(Sha256, HasTheValuesOfTheStandard) {
  const std::string_view abc[] = {"abc"}, cut[] = {"a", "", "bc"};
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(cut), sha256(abc));
}

// RFC 4231, the test cases whose keys are at most 64 bytes.
TEST(HmacSha256, HasTheValuesOfTheRfc) {
  EXPECT_EQ(hmac(std::string(20, '\x0b'), {"Hi There"}), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac("Jefe", {"what do ya want ", "for nothing?"}), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac(std::string(20, '\xaa'), {std::string(50, '\xdd')}), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string key;
  for (char c = 1; c <= 25; ++c) key += c;
  EXPECT_EQ(hmac(key, {std::string(50, '\xcd')}), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

TEST(LengthPrefix, IsEightBytesBigEndian) {
  EXPECT_EQ(std::string_view(LengthPrefix(0x0102)), std::string_view("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(std::string_view(LengthPrefix(~std::size_t{0})), std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(SameSecret, IsEqualityOfBytesAndLengths) {
  EXPECT_TRUE(same_secret(as_bytes("abc"), as_bytes("abc")));
  EXPECT_TRUE(same_secret({}, {}));
  for (const auto other : {"abd", "bbc", "ab", "abcd", ""}) EXPECT_FALSE(same_secret(as_bytes("abc"), as_bytes(other)));
}

TEST(Wipe, LeavesZeros) {
  std::vector<std::byte> secret(33, std::byte{0x5a});
  wipe(secret);
  EXPECT_TRUE(std::all_of(secret.begin(), secret.end(), [](std::byte b) { return b == std::byte{0}; }));
}
