#include "base/crypto.hpp"

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

// Around the lengths at which the padding needs another block; from Python's hashlib.
TEST(Sha256, AndItsHmacAreRightForEveryNumberOfBlocks) {
  const struct {
    std::size_t size;
    const char *digest, *mac;
  } rows[] = {
      {1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
       "d8bd15372a43b4c5ffe1729bec4ed64cc9d79f680f68fcda40950b9e599f7906"},
      {54, "a3f01b6939256127582ac8ae9fb47a382a244680806a3f613a118851c1ca1d47",
       "9fad7b183e8ad570ed0d6a2f187401f8ea3fc6f9aa2b77f6fac5a7633176af8d"},
      {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
       "24d54ebf1905d2f40a7fcb667c54cdf9f4e3dc14b56e14c9d0ea3814c1695fad"},
      {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
       "5f4e1e2b93b2829cb29d541d12951b5e275286fb0318ea83f917f51d3054f416"},
      {57, "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6",
       "7e0a89da3ee9177889821f01d8793143c8ff74255b8244f73851d6d7e118ea8d"},
      {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
       "dd57eac82e3ae81dff72c8f89e0308cc2c5b5f3d1cbef17bc01c56d26869d700"},
      {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
       "de0e03c5bf2fe5aab7eb9ed8594a09d91c3ef3795ddf3d4ee80d0238180b5c11"},
      {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0",
       "935d78a7bd33b83f9f3c3afdccb571b51316694d0430558aeb4239170801edd3"},
      {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb",
       "7abcb8384531bfbf33ee1c7ef68876ed71ab81a9a7f073e7431f1229c65a813e"},
      {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c",
       "f3322a1c2af0084161b0cf596417823975e9b62b8255fb3179e4d49bd0f94c93"},
      {200, "c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5",
       "8cf23cb1e4fad952587fe3381b8219faaf8d16f0c4e8eb172fb2132f2f9fe412"},
  };
  for (const auto& row : rows) {
    const std::string text(row.size, 'a');
    for (std::size_t cut = 0; cut <= text.size(); cut += 9) {
      const std::string_view parts[] = {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)};
      EXPECT_EQ(hex(sha256(parts)), row.digest) << row.size << " bytes, cut at " << cut;
      EXPECT_EQ(hex(hmac_sha256(as_bytes(std::string(32, 'k')), parts)), row.mac) << row.size << " bytes, cut at " << cut;
    }
  }
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
