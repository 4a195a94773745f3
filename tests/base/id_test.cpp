#include "sancho/id.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "../support/counting_random.hpp"

namespace {
using namespace std::string_literals;
using sancho::Handle;
using sancho::SessionId;
using sancho::SessionKey;

// The bytes 00 … 1f, and 00 … 22 with their tag of 20 21 22.
constexpr std::string_view plain = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
constexpr std::string_view tagged = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI";
constexpr std::string_view of_base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

template <typename Bytes>
std::string hex(const Bytes& bytes) {
  std::string out;
  for (const auto b : bytes) out += "0123456789abcdef"[std::to_integer<int>(b) >> 4], out += "0123456789abcdef"[std::to_integer<int>(b) & 15];
  return out;
}

sancho::Nonce nonce() {
  sancho::Nonce n;
  for (std::size_t i = 0; i < n.size(); ++i) n[i] = static_cast<std::byte>(0x60 + i);
  return n;
}
}  // namespace

TEST(SessionId, K8IsFortyThreeOrFortySevenCharactersAndNothingElse) {
  EXPECT_EQ(SessionId::parse(plain)->reveal(), plain);
  EXPECT_EQ(SessionId::parse(tagged)->reveal(), tagged);
  for (std::size_t n = 0; n < 100; ++n) EXPECT_EQ(SessionId::parse(std::string(n, 'A')).has_value(), n == 43 || n == 47) << n;
}

// 256 bits leave two unused bits in the last character; 280 leave two as well.
TEST(SessionId, K8UnusedLowBitsAreZero) {
  for (const auto text : {plain, tagged}) {
    int good = 0;
    for (const char c : of_base64url) good += SessionId::parse(std::string(text.substr(0, text.size() - 1)) + c).has_value();
    EXPECT_EQ(good, 16) << text;
  }
}

TEST(SessionId, K8EveryOctetOutsideTheAlphabetIsRefusedInEveryPlace) {
  for (std::size_t at = 0; at < plain.size(); ++at)
    for (int c = 0; c < 256; ++c) {
      std::string text(plain);
      text[at] = static_cast<char>(c);
      const bool in_alphabet = c != 0 && of_base64url.find(static_cast<char>(c)) != std::string_view::npos;
      if (in_alphabet) continue;
      EXPECT_FALSE(SessionId::parse(text)) << at << ' ' << c;
    }
}

TEST(SessionId, F14NothingThatLooksLikeAPathOrACommandIsAnId) {
  const auto fill = [](std::string text) {  // as long as an id is, so that only the alphabet can refuse it
    while (text.size() < 43) text += 'A';
    return text;
  };
  for (const auto& text : {"../../etc/passwd"s, "/etc/passwd"s, "."s, ".."s, "\0"s, "%2e%2e%2f"s, "..\\..\\boot.ini"s, "\xe2\x88\x95" "etc"s, "CON."s, "'; DROP TABLE sessions; --"s, "\r\nSet-Cookie: x=y"s, "\"quoted\""s, "a b"s, "A="s, "+"s, "/"s}) {
    EXPECT_FALSE(SessionId::parse(text)) << text;
    EXPECT_FALSE(SessionId::parse(fill(text))) << text;
  }
  EXPECT_FALSE(SessionId::parse("CON"));
  EXPECT_FALSE(SessionId::parse(std::string(5000, 'A')));
  EXPECT_FALSE(SessionId::parse(std::string(42, 'A') + "="));
}

TEST(SessionId, IsDrawnFromTheSourceAndDiffersEachTime) {
  sancho::test::CountingRandom random;
  EXPECT_EQ(SessionId::draw(random).reveal(), plain);
  const auto a = SessionId::draw(sancho::system_random()), b = SessionId::draw(sancho::system_random());
  EXPECT_FALSE(a.same_as(b));
  EXPECT_TRUE(a.same_as(*SessionId::parse(a.reveal())));
  EXPECT_FALSE(SessionId::parse(plain)->same_as(*SessionId::parse(tagged)));
}

TEST(SessionId, WithoutRandomnessThereIsNoIdAndNoHandle) {
  sancho::test::FailingRandom none;
  EXPECT_THROW(SessionId::draw(none), sancho::RandomError);
  EXPECT_THROW(Handle::draw(none), sancho::RandomError);
}

// The vectors of this file were computed with Python's hashlib and hmac, e.g.
// sha256(len("shop").to_bytes(8, "big") + b"shop" + bytes(range(32))).
TEST(SessionKey, HasTheDocumentedDigest) {
  EXPECT_EQ(SessionKey::of("shop", *SessionId::parse(plain)).hex(), "e215edddc6defb213506826b372cd1887ebfccc0a839eedd509dfba94b1a04bc");
  EXPECT_EQ(SessionKey::of("", *SessionId::parse(plain)).hex(), "f4b32977b259a87e6f264a88303ce62961dcac4902c739b89cf9c16bcc955eb6");
  EXPECT_EQ(SessionKey::of("shop", *SessionId::parse(tagged)).hex(), "e60f638cc47441e271cd73a1c26257a400b95c81308a929a2734cd44c00ee759");
  EXPECT_EQ(SessionKey::of_note("shop", "epoch").hex(), "dcaaac657d12f199672441bcc197fd6eb7f01bbb094d342bfcd723eba148cd45");
}

TEST(SessionId, ASuccessorIsComputedFromTheOldIdAndTheNonceAndKeepsTheTag) {
  EXPECT_EQ(SessionId::parse(plain)->successor(nonce()).reveal(), "nggx3LjBZP2MOhv1MW46iR5Mbr70YQHo1QjvwypF3Os");
  EXPECT_EQ(SessionId::parse(tagged)->successor(nonce()).reveal(), "ODEkOUS0hHFOMiP8-t9dqSKqzrvNejUCuq9imGxO1wogISI");
  EXPECT_FALSE(SessionId::parse(plain)->successor({}).same_as(SessionId::parse(plain)->successor(nonce())));
}

TEST(SessionId, AMacIsKeyedWithTheId) {
  EXPECT_EQ(hex(SessionId::parse(plain)->mac("csrf")), "b415f1a025d491666644530fc34968cd2e477862892ed0371246ddc6e316a2e7");
}

TEST(SessionKey, ComesBackFromItsBytesAndItsHexAndFromNothingElse) {
  const auto key = SessionKey::of("shop", *SessionId::parse(plain));
  EXPECT_EQ(SessionKey::from_bytes(key.bytes()), key);
  EXPECT_EQ(SessionKey::from_hex(key.hex()), key);
  EXPECT_FALSE(SessionKey::from_bytes(key.bytes().substr(1)));
  EXPECT_FALSE(SessionKey::from_bytes(std::string(key.bytes()) + "x"));
  for (const auto& bad : {""s, key.hex().substr(1), key.hex() + "0", "G" + key.hex().substr(1), "E" + key.hex().substr(1), "../" + key.hex().substr(3)}) EXPECT_FALSE(SessionKey::from_hex(bad)) << bad;
}

// CVE-2019-16782: what the store holds must open nothing when presented.
TEST(SessionKey, IsNoIdWhenPresented) {
  const auto key = SessionKey::of("shop", *SessionId::parse(plain));
  EXPECT_FALSE(SessionId::parse(key.hex()));
  EXPECT_FALSE(SessionId::parse(key.bytes()));
}

TEST(Handle, IsSixteenCharactersOrEmpty) {
  const auto handle = Handle::draw(sancho::system_random());
  EXPECT_EQ(handle.text().size(), 16u);
  EXPECT_EQ(Handle::parse(handle.text()), handle);
  EXPECT_TRUE(Handle{}.empty());
  EXPECT_EQ(Handle{}.text(), "");
  for (const auto bad : {"", "short", "AAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAA", "../AAAAAAAAAAAAA"}) EXPECT_FALSE(Handle::parse(bad)) << bad;
}
