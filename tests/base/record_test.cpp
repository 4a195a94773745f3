#include "sancho/record.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "sancho/msgpack.hpp"

namespace {
using namespace sancho;
using namespace std::chrono_literals;
using namespace std::string_literals;

Record a_record() {
  Record r;
  r.version = {0x0123456789abcdef, 42};
  r.state = State::moved;
  r.created = Time{1'000'000ms};
  r.accessed = Time{2'000'000ms};
  r.idle = 30min;
  r.ends = Time{9'000'000ms};
  r.subject = "j\xc3\xbcrgen'; --";
  r.handle = *Handle::parse("AAAABBBBCCCCDDDD");
  r.payload = "\0\xff any bytes \r\n"s;
  return r;
}

// A body with the head that goes with it.
std::string sealed(std::string_view body, char format = 1) {
  const auto crc = crc32c(body);
  std::string out = "SNR"s + format;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift & 0xff));
  return out.append(body);
}

// The kind of trouble, or nothing if it decoded.
std::optional<Trouble> trouble(std::string_view bytes) {
  try {
    decode_record(bytes);
    return std::nullopt;
  } catch (const StoreError& e) {
    return e.kind();
  }
}

// The fields of a good record, each once, with one replaced.
std::string body_with(std::string_view name, const std::function<void(Packer&)>& value) {
  const auto good = encode_record(a_record()).substr(8);
  Unpacker u(good);
  Packer p;
  const auto n = u.map();
  p.map(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto key = u.text();
    const auto old = u.value();
    p.text(key);
    if (key == name) value(p);
    else p.raw(old);
  }
  return p.bytes();
}
}  // namespace

TEST(RecordFormat, ComesBackAsItWas) {
  EXPECT_EQ(decode_record(encode_record(a_record())), a_record());
  EXPECT_EQ(decode_record(encode_record(Record{})), Record{});
  for (const auto state : {State::pending, State::live, State::moved, State::ended, State::note}) {
    auto r = a_record();
    r.state = state;
    EXPECT_EQ(decode_record(encode_record(r)).state, state);
  }
  auto large = a_record();
  large.payload.assign(1 << 20, 'x');
  EXPECT_EQ(decode_record(encode_record(large)), large);
}

TEST(RecordFormat, TimesBefore1970ComeBackAndSoDoTextsOfEveryLength) {
  auto r = a_record();
  r.created = Time{-1ms}, r.accessed = Time{-40'000ms}, r.ends = Time{Duration{-(std::int64_t{1} << 53)}};
  EXPECT_EQ(decode_record(encode_record(r)), r);
  for (const std::size_t size : {0u, 31u, 32u, 255u, 256u, 65'535u, 65'536u}) {
    r.subject.assign(size, 's'), r.payload.assign(size, 'p');
    EXPECT_EQ(decode_record(encode_record(r)), r) << size;
  }
}

TEST(RecordFormat, FieldsInAnotherOrderAreTheSame) {
  const auto good = encode_record(a_record()).substr(8);
  Unpacker u(good);
  std::vector<std::string> pairs;
  for (auto left = u.map(); left > 0; --left) {
    Packer p;
    p.text(u.text()), p.raw(u.value());
    pairs.push_back(p.bytes());
  }
  Packer p;
  p.map(pairs.size());
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) p.raw(*pair);
  EXPECT_EQ(decode_record(sealed(p.bytes())), a_record());
}

TEST(RecordFormat, IsReadIntoARecordThatIsThereAndWrittenBehindWhatIsThere) {
  Record into = a_record();
  into.subject = "somebody else", into.payload.assign(1000, 'x');
  decode_record(encode_record(Record{}), into);
  EXPECT_EQ(into, Record{});
  std::string out = "before";
  append_record(out, a_record());
  EXPECT_EQ(out, "before" + encode_record(a_record()));
}

TEST(RecordFormat, F10EveryFlippedBitIsFound) {
  const auto good = encode_record(a_record());
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      // The byte of the format version is the only one that may say "newer".
      const auto kind = trouble(bad);
      ASSERT_TRUE(kind) << at;
      if (at == 3) continue;
      EXPECT_EQ(*kind, Trouble::corrupt) << at;
    }
}

TEST(RecordFormat, F11EveryTruncationAndExtensionIsFound) {
  const auto good = encode_record(a_record());
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_EQ(trouble(good.substr(0, n)), Trouble::corrupt) << n;
  EXPECT_EQ(trouble(good + '\0'), Trouble::corrupt);
  EXPECT_EQ(trouble(good + good), Trouble::corrupt);
  EXPECT_EQ(trouble(sealed(good.substr(8) + '\xc0')), Trouble::corrupt);  // with a checksum that fits
}

TEST(RecordFormat, F12WhatANewerVersionWroteIsUnavailableAndNotCorrupt) {
  const auto body = encode_record(a_record()).substr(8);
  EXPECT_EQ(trouble(sealed(body)), std::nullopt);
  EXPECT_EQ(trouble(sealed(body, 2)), Trouble::unavailable);
  EXPECT_EQ(trouble(sealed("anything at all", 9)), Trouble::unavailable);
  EXPECT_EQ(trouble(sealed(body, 0)), Trouble::corrupt);
  EXPECT_EQ(trouble(sealed(body_with("state", [](Packer& p) { p.natural(5); }))), Trouble::unavailable);
  auto with_a_field = body;
  with_a_field[0] = '\x8b';  // eleven pairs
  EXPECT_EQ(trouble(sealed(with_a_field + "\xa3new\x01")), Trouble::unavailable);
}

TEST(RecordFormat, AMissingOrWrongFieldIsCorrupt) {
  auto fewer = encode_record(a_record()).substr(8);
  fewer[0] = '\x80';
  EXPECT_EQ(trouble(sealed(fewer.substr(0, 1))), Trouble::corrupt);
  EXPECT_EQ(trouble(sealed(body_with("subject", [](Packer& p) { p.integer(1); }))), Trouble::corrupt);
  EXPECT_EQ(trouble(sealed(body_with("handle", [](Packer& p) { p.text("../../etc/passwd"); }))), Trouble::corrupt);
  EXPECT_EQ(trouble(sealed(body_with("inc", [](Packer& p) { p.integer(-1); }))), Trouble::corrupt);
  for (const auto name : {"created", "accessed", "idle", "ends"})
    for (const auto v : {INT64_MAX, INT64_MIN, (std::int64_t{1} << 53) + 1}) EXPECT_EQ(trouble(sealed(body_with(name, [v](Packer& p) { p.integer(v); }))), Trouble::corrupt) << name;
}

TEST(RecordFormat, AFieldThatIsThereTwiceIsCorrupt) {
  auto twice = encode_record(a_record()).substr(8);
  twice[0] = '\x8b';
  EXPECT_EQ(trouble(sealed(twice + "\xa1n\x01")), Trouble::corrupt);
}

TEST(RecordExpiry, IdlesWhileItMayBeUsedAndOnlyEndsAfterwards) {
  auto r = a_record();
  for (const auto state : {State::pending, State::live}) {
    r.state = state;
    EXPECT_EQ(r.expires(), r.accessed + r.idle);
    EXPECT_FALSE(r.expired(r.accessed + r.idle - 1ms));
    EXPECT_TRUE(r.expired(r.accessed + r.idle));
  }
  for (const auto state : {State::moved, State::ended, State::note}) {
    r.state = state;
    EXPECT_EQ(r.expires(), r.ends);
  }
  r.state = State::live;
  r.idle = 24h;
  EXPECT_EQ(r.expires(), r.ends);
}
