#include "sancho/msgpack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {
using namespace std::string_literals;
using sancho::DecodeError;
using sancho::Packer;
using sancho::Unpacker;

template <typename Write>
std::string packed(Write write) {
  Packer p;
  write(p);
  return p.bytes();
}
}  // namespace

TEST(MessagePack, IntegersComeBackInTheirShortestForm) {
  const std::pair<std::int64_t, std::size_t> rows[] = {{0, 1}, {127, 1}, {128, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5}, {4294967295, 5}, {4294967296, 9}, {INT64_MAX, 9},
                                                       {-1, 1}, {-32, 1}, {-33, 2}, {-128, 2}, {-129, 3}, {-32768, 3}, {-32769, 5}, {-2147483648LL, 5}, {-2147483649LL, 9}, {INT64_MIN, 9}};
  for (const auto& [v, size] : rows) {
    const auto bytes = packed([v = v](Packer& p) { p.integer(v); });
    EXPECT_EQ(bytes.size(), size) << v;
    EXPECT_EQ(Unpacker(bytes).integer(), v);
    EXPECT_EQ(Unpacker(bytes).value(), bytes);
    if (v >= 0) {
      EXPECT_EQ(Unpacker(bytes).natural(), static_cast<std::uint64_t>(v));
    } else {
      EXPECT_THROW(Unpacker(bytes).natural(), DecodeError);
    }
  }
  const auto huge = packed([](Packer& p) { p.natural(UINT64_MAX); });
  EXPECT_EQ(Unpacker(huge).natural(), UINT64_MAX);
  EXPECT_THROW(Unpacker(huge).integer(), DecodeError);
}

// What other programs write for the same numbers is read as well.
TEST(MessagePack, LongerFormsOfANumberAreRead) {
  EXPECT_EQ(Unpacker("\xd3\0\0\0\0\0\0\0\x05"s).integer(), 5);
  EXPECT_EQ(Unpacker("\xd0\x05"s).natural(), 5u);
  EXPECT_EQ(Unpacker("\xd1\xff\xff"s).integer(), -1);
  EXPECT_EQ(Unpacker("\xd2\x80\0\0\0"s).integer(), -2147483648LL);
  EXPECT_EQ(Unpacker("\xca\x3f\xc0\0\0"s).real(), 1.5);
}

TEST(MessagePack, TextsAndBinariesOfEveryLengthClassComeBack) {
  for (const std::size_t n : std::initializer_list<std::size_t>{0, 1, 31, 32, 255, 256, 65535, 65536}) {
    const std::string v(n, 'x');
    const auto text = packed([&](Packer& p) { p.text(v); }), binary = packed([&](Packer& p) { p.binary(v); });
    EXPECT_EQ(Unpacker(text).text(), v);
    EXPECT_EQ(Unpacker(binary).binary(), v);
    EXPECT_THROW(Unpacker(text).binary(), DecodeError);
    EXPECT_THROW(Unpacker(binary).text(), DecodeError);
    EXPECT_EQ(Unpacker(text).value(), text);
    EXPECT_EQ(Unpacker(binary).value(), binary);
  }
}

TEST(MessagePack, CollectionsOfEveryLengthClassComeBack) {
  for (const std::size_t n : std::initializer_list<std::size_t>{0, 1, 15, 16, 65535, 65536}) {
    const auto array = packed([&](Packer& p) { p.array(n); for (std::size_t i = 0; i < n; ++i) p.nil(); });
    const auto map = packed([&](Packer& p) { p.map(n); for (std::size_t i = 0; i < 2 * n; ++i) p.boolean(true); });
    EXPECT_EQ(Unpacker(array).array(), n);
    EXPECT_EQ(Unpacker(map).map(), n);
    EXPECT_EQ(Unpacker(array).value(), array);
    EXPECT_EQ(Unpacker(map).value(), map);
  }
}

TEST(MessagePack, RealsNilAndBooleansComeBack) {
  for (const double v : {0.0, -0.0, 1.5, -1e300, std::numeric_limits<double>::infinity()}) EXPECT_EQ(Unpacker(packed([v](Packer& p) { p.real(v); })).real(), v);
  const auto nan = packed([](Packer& p) { p.real(std::nan("")); });
  EXPECT_TRUE(std::isnan(Unpacker(nan).real()));
  EXPECT_TRUE(Unpacker(packed([](Packer& p) { p.boolean(true); })).boolean() && !Unpacker("\xc2").boolean());
  EXPECT_NO_THROW(Unpacker("\xc0").nil());
  EXPECT_THROW(Unpacker("\xc2").nil(), DecodeError);
  EXPECT_EQ(Unpacker("\x07").real(), 7.0);
  EXPECT_THROW(Unpacker("\xa1x").real(), DecodeError);
}

TEST(MessagePack, F28NoLengthIsBelievedThatTheBytesCannotBack) {
  const std::vector<std::string> hostile = {"\xdb\xff\xff\xff\xff"s, "\xc6\xff\xff\xff\xffx"s, "\xdd\xff\xff\xff\xff"s, "\xdf\xff\xff\xff\xff"s, "\xdf\x7f\xff\xff\xff\0"s, "\xda\x00\x02x"s, "\xa2x"s, "\x92\x01"s,
                                            "\x81\x01"s, "\xcf\0\0"s, "\xcb\0"s, "\xca"s, "\xc9\xff\xff\xff\xff\x01"s, "\xc7"s, "\xd8\x01"s, "\xc1"s, ""s, "\xdc"s, "\xde\0"s};
  for (const auto& bytes : hostile) EXPECT_THROW(Unpacker(bytes).value(), DecodeError) << bytes.size();
  EXPECT_THROW(Unpacker("\xdd\xff\xff\xff\xff"s).array(), DecodeError);
  EXPECT_THROW(Unpacker("\xdf\x00\x00\x00\x01\x01"s).map(), DecodeError);
}

TEST(MessagePack, F28DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '\x91') + '\xc0'; };
  EXPECT_NO_THROW(Unpacker(nested(Unpacker::max_depth)).value());
  EXPECT_THROW(Unpacker(nested(Unpacker::max_depth + 1)).value(), DecodeError);
  EXPECT_THROW(Unpacker(nested(100'000)).value(), DecodeError);
  EXPECT_THROW(Unpacker(std::string(100'000, '\x81')).value(), DecodeError);
}

TEST(MessagePack, ExtensionsOfOtherProgramsArePassedOverWhole) {
  for (const auto& bytes : {"\xd4\x01x"s, "\xd5\x01xx"s, "\xd6\x01xxxx"s, "\xd7\x01xxxxxxxx"s, "\xd8\x01xxxxxxxxxxxxxxxx"s, "\xc7\x02\x01xx"s, "\xc8\0\x01\x01x"s, "\xc9\0\0\0\0\x01"s}) {
    const auto followed = bytes + "\x05";
    Unpacker u(followed);
    EXPECT_EQ(u.value(), bytes);
    EXPECT_EQ(u.integer(), 5);
    EXPECT_TRUE(u.done());
  }
}

TEST(MessagePack, EveryTruncationOfAValueIsAnError) {
  const auto bytes = packed([](Packer& p) {
    p.map(2);
    p.text("list"), p.array(3), p.integer(-1000), p.real(2.5), p.binary(std::string(40, 'b'));
    p.text("n"), p.natural(1u << 20);
  });
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_THROW(Unpacker(std::string_view(bytes).substr(0, n)).value(), DecodeError) << n;
  EXPECT_EQ(Unpacker(bytes).value(), bytes);
}

// Every first byte there is, with plenty behind it: either a value within the
// bytes, or an error.
TEST(MessagePack, EveryFirstByteIsAValueOrAnError) {
  for (int lead = 0; lead < 256; ++lead) {
    const auto bytes = static_cast<char>(lead) + std::string(64, '\x01');
    try {
      EXPECT_LE(Unpacker(bytes).value().size(), bytes.size());
      EXPECT_NE(lead, 0xc1);
    } catch (const DecodeError&) {
      const bool wants_more = lead == 0xc1 || lead >= 0x80;
      EXPECT_TRUE(wants_more) << lead;
    }
  }
}
