// # The payload: sealed, opened, and refused
#include "protocol/payload.hpp"

#include <gtest/gtest.h>

#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {
namespace {

constexpr Time t0{std::chrono::hours{400000}};

template <class T>
T bytes(char c) {
  T out;
  out.fill(static_cast<std::byte>(c));
  return out;
}

SessionKey key(char c) { return *SessionKey::from_bytes(std::string(32, c)); }

Record record() {
  Record r;
  r.version = {0x0123456789abcdef, 7};
  r.state = State::live;
  r.created = r.accessed = t0;
  r.subject = "alice";
  r.handle = *Handle::parse("AAAABBBBCCCCDDDD");
  return r;
}

// Every field, none at rest.
Payload full() {
  Payload p;
  p.attempts = {1, 0xffffffffffffffff, 3};
  p.spent = {{bytes<TokenDigest>('s'), 9}};
  p.predecessor = key('p');
  p.successor = key('q');
  p.nonce = bytes<Nonce>('n');
  p.used = t0;
  p.why = EndReason::reauth;
  p.issued = t0 - Duration(1);
  p.authenticated = t0 + Duration(1);
  p.remote_address = "192.0.2.1";
  p.user_agent = "agent";
  p.user = "\xa5" "alice";
  p.tokens = {bytes<TokenDigest>('t'), bytes<TokenDigest>('u')};
  p.csrf = bytes<Secret32>('c');
  p.slots = {{"cart", "\x93\x01\x02\x03"}, {"visits", "\x05"}};
  return p;
}

Record sealed(const Payload& p) {
  Record r = record();
  r.payload = seal(r, p);
  return r;
}

std::optional<Trouble> trouble(const Record& r) {
  try {
    unseal(r);
    return std::nullopt;
  } catch (const StoreError& e) {
    return e.kind();
  }
}

// A payload with these pairs in its body and a checksum that fits.
Record forged(std::size_t pairs, const std::string& body_pairs, char format = 1) {
  Record r = record();
  Packer body;
  body.map(pairs);
  body.raw(body_pairs);
  std::string columns(1, static_cast<char>(r.state));
  for (const auto v : {r.version.incarnation, r.version.counter})
    for (int shift = 56; shift >= 0; shift -= 8) columns.push_back(static_cast<char>(v >> shift & 0xff));
  auto crc = crc32c(r.subject, crc32c(r.handle.text(), crc32c(columns)));
  crc = crc32c(body.bytes(), crc);
  r.payload = std::string("SNP") + format;
  for (int shift = 24; shift >= 0; shift -= 8) r.payload.push_back(static_cast<char>(crc >> shift & 0xff));
  r.payload += body.bytes();
  return r;
}

std::string pair(std::string_view name, std::string_view value) {
  Packer p;
  p.text(name);
  p.text(value);
  return std::move(p).take();
}

// ## There and back

TEST(Payload, ComesBackAsItWasSealed) {
  EXPECT_EQ(unseal(sealed(full())), full());
  EXPECT_EQ(unseal(sealed(Payload{})), Payload{});
}

TEST(Payload, SealsEqualContentsIntoEqualBytes) { EXPECT_EQ(seal(record(), full()), seal(record(), full())); }

TEST(PayloadView, ShowsWhatThePayloadHolds) {
  const auto r = sealed(full());
  const PayloadView v(r);
  EXPECT_EQ(v.successor, key('q'));
  EXPECT_EQ(v.used, t0);
  EXPECT_EQ(v.why, EndReason::reauth);
  EXPECT_EQ(v.token_count(), 2u);
  EXPECT_EQ(v.slot("visits"), "\x05");
  EXPECT_EQ(v.slot("none"), std::nullopt);
}

TEST(PayloadView, KnowsItsAttemptsAndSpenders) {
  const auto r = sealed(full());
  const PayloadView v(r);
  for (const Attempt mine : {Attempt{1}, ~Attempt{0}, Attempt{3}, Attempt{9}}) EXPECT_TRUE(v.did(mine)) << mine;
  EXPECT_FALSE(v.did(2));
}

// ## Refused

TEST(Payload, IsCorruptWhateverBitFlips) {
  const auto good = sealed(full());
  for (std::size_t i = 0; i < good.payload.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = good;
      bad.payload[i] = static_cast<char>(bad.payload[i] ^ 1 << bit);
      // A flip in the format's byte may look like a newer version: refused too.
      if (i == 3) ASSERT_TRUE(trouble(bad)) << bit;
      else ASSERT_EQ(trouble(bad), Trouble::corrupt) << i << ", bit " << bit;
    }
}

TEST(Payload, IsCorruptWhereverItIsCut) {
  const auto good = sealed(full());
  for (std::size_t n = 0; n < good.payload.size(); ++n) {
    auto bad = good;
    bad.payload.resize(n);
    ASSERT_EQ(trouble(bad), Trouble::corrupt) << n;
  }
  auto longer = good;
  longer.payload.push_back('\xc0');
  EXPECT_EQ(trouble(longer), Trouble::corrupt);
}

TEST(Payload, IsCorruptUnderAnotherRowsColumns) {
  const auto good = sealed(full());
  auto state = good, incarnation = good, counter = good, subject = good, handle = good;
  state.state = State::ended;
  incarnation.version.incarnation++;
  counter.version.counter++;
  subject.subject = "mallory";
  handle.handle = *Handle::parse("AAAABBBBCCCCDDDE");
  for (const auto& bad : {state, incarnation, counter, subject, handle}) EXPECT_EQ(trouble(bad), Trouble::corrupt);
}

TEST(Payload, OpensAfterATouch) {
  auto touched = sealed(full());
  touched.accessed += std::chrono::hours(1);
  EXPECT_EQ(trouble(touched), std::nullopt);
}

TEST(Payload, IsCorruptWhereAFieldIsOfAnotherKindOrLength) {
  EXPECT_EQ(trouble(forged(1, pair("issued", "noon"))), Trouble::corrupt);
  EXPECT_EQ(trouble(forged(1, pair("slots", "none"))), Trouble::corrupt);
  Packer nonce;
  nonce.text("nonce");
  nonce.binary("short");
  EXPECT_EQ(trouble(forged(1, nonce.bytes())), Trouble::corrupt);
  EXPECT_EQ(trouble(forged(2, pair("addr", "x"))), Trouble::corrupt) << "fewer pairs than counted";
}

TEST(PayloadView, IsCorruptWhereASlotHasNoName) {
  Packer slots;
  slots.text("slots");
  slots.map(1);
  slots.integer(1), slots.integer(2);
  const auto r = forged(1, slots.bytes());
  EXPECT_THROW(PayloadView(r).slot("a"), StoreError);
  EXPECT_EQ(trouble(r), Trouble::corrupt);
}

// ## Names

// As MessagePack has it, though nobody here writes it so.
TEST(Payload, KnowsANameWithALongHead) {
  const auto r = forged(1, "\xd9\x04" "addr" + std::string("\xa3" "::1"));
  EXPECT_EQ(PayloadView(r).remote_address, "::1");
  EXPECT_EQ(unseal(r).unknown, "");
}

TEST(Payload, KnowsNamesAtTheEndOfTheBytes) {
  EXPECT_TRUE(PayloadView(forged(1, "\xa4" "keep\xc3")).persistent);
  EXPECT_EQ(PayloadView(forged(1, "\xa3" "why\x02")).why, EndReason::login);
}

// Names are told apart as numbers of eight bytes.
TEST(Payload, TakesNoNameForAnotherOne) {
  for (const auto& name : {std::string("\0addr", 5), std::string("addr\0", 5), std::string("\0\0\0\0addr", 8), std::string(), std::string("addrs"),
                           std::string("add"), std::string("attempts2"), std::string("attempt"), std::string("2attempts")}) {
    const auto r = forged(1, pair(name, "x"));
    EXPECT_EQ(unseal(r).unknown, pair(name, "x")) << testing::PrintToString(name);
    EXPECT_EQ(PayloadView(r).remote_address, "");
    EXPECT_EQ(PayloadView(r).attempts, "");
  }
}

// ## Other versions

TEST(Payload, CarriesUnknownFieldsAlong) {
  auto r = forged(3, pair("colour", "blue") + pair("addr", "::1") + pair("mood", "fine"));
  auto p = unseal(r);
  EXPECT_EQ(p.remote_address, "::1");
  EXPECT_EQ(p.unknown, pair("colour", "blue") + pair("mood", "fine"));
  p.remote_address = "::2";
  r.payload = seal(r, p);
  EXPECT_EQ(unseal(r), p);
}

TEST(Payload, IsUnavailableWhereAnUnknownFieldIsCritical) {
  EXPECT_EQ(trouble(forged(1, pair("!sealed", "newer"))), Trouble::unavailable);
}

TEST(Payload, IsUnavailableWhereItsFormatIsNewer) {
  EXPECT_EQ(trouble(forged(0, "", 2)), Trouble::unavailable);
  EXPECT_EQ(trouble(forged(0, "", 0)), Trouble::corrupt) << "there never was an older one";
}

TEST(Payload, IsUnavailableWhereASessionEndedForANewerReason) {
  Packer why;
  why.text("why");
  why.natural(99);
  EXPECT_EQ(trouble(forged(1, why.bytes())), Trouble::unavailable);
}

// ## Slots by name

TEST(PayloadSlots, AreKeptSortedAndFoundByName) {
  Payload p;
  p.put("b", "2"), p.put("a", "1"), p.put("c", "3"), p.put("b", "4");
  ASSERT_EQ(p.slots.size(), 3u);
  EXPECT_EQ(p.slots[0].name, "a");
  EXPECT_EQ(p.find("b")->value, "4");
  p.drop("a"), p.drop("a");
  EXPECT_EQ(p.find("a"), nullptr);
  EXPECT_EQ(p.slots.size(), 2u);
}

}  // namespace
}  // namespace sancho::protocol
