// # Twelve bytes as sixteen letters of base64url, and back
//
// All at once, and without a table: which letters there are can be told neither
// from the time it takes nor from what is in the caches afterwards.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/big_endian.hpp"

namespace sancho {

// Twelve bytes, in halves of 48 bits.
struct Twelve {
  static constexpr std::size_t bytes = 12, letters = 16;
  std::uint64_t high = 0, low = 0;

  // From so many bytes, and into them.
  static Twelve at(const std::byte* from) {
    return {get_big_endian<std::uint64_t>(from) >> 16, get_big_endian<std::uint64_t>(from + 4) & 0xffffffffffff};
  }
  void put(std::byte* to) const {
    // Eight bytes are written, and six of them stay.
    put_big_endian(to, high << 16);
    put_big_endian(to + 4, (high & 0xffff) << 48 | low);
  }

  // Are all bits zero but those of the first so many bytes?
  bool is_no_longer_than(std::size_t size) const {
    const auto behind = [](std::size_t n) { return (std::uint64_t{1} << 8 * (bytes / 2 - n)) - 1; };
    return size < bytes / 2 ? (high & behind(size)) == 0 && low == 0 : (low & behind(size - bytes / 2)) == 0;
  }

  void put_letters(char* to) const;
  // True: they were letters. Else it is anything.
  bool read_letters(const char* from);
};

// What is done where there are no lanes to do it in.
namespace one_by_one {
inline constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline void put_letters(const Twelve& from, char* to) {
  for (const auto half : {from.high, from.low})
    for (int shift = 42; shift >= 0; shift -= 6) *to++ = alphabet[half >> shift & 63];
}

inline bool read_letters(Twelve& into, const char* from) {
  bool good = true;
  into = {};
  for (auto* half : {&into.high, &into.low})
    for (int i = 0; i < 8; ++i) {
      const auto at = alphabet.find(*from++);
      good &= at != std::string_view::npos;
      *half = *half << 6 | (at & 63);
    }
  return good;
}
}  // namespace one_by_one

#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
namespace lanes {
template <class Lane>
using Of [[gnu::vector_size(Twelve::letters)]] = Lane;
}  // namespace lanes

inline void Twelve::put_letters(char* to) const {
  // Six bits each, taken apart by twos: the highest are the first.
  const lanes::Of<std::uint64_t> halves = {high, low};
  const auto fours = std::bit_cast<lanes::Of<std::uint32_t>>(halves >> 24 | (halves & 0xffffff) << 32);
  const auto twos = std::bit_cast<lanes::Of<std::uint16_t>>(fours >> 12 | (fours & 0xfff) << 16);
  auto c = std::bit_cast<lanes::Of<signed char>>(twos >> 6 | (twos & 63) << 8);
  // What the ranges of the alphabet lie apart.
  c += 'A' + ((c > 25) & 6) - ((c > 51) & 75) - ((c > 61) & 13) + ((c > 62) & 49);
  std::memcpy(to, &c, sizeof c);
}

inline bool Twelve::read_letters(const char* from) {
  using Chars = lanes::Of<signed char>;
  Chars c;
  std::memcpy(&c, from, sizeof c);
  const auto between = [&](signed char before, signed char behind) { return Chars(c > before) & Chars(c < behind); };
  const auto upper = between('A' - 1, 'Z' + 1), lower = between('a' - 1, 'z' + 1), digit = between('0' - 1, '9' + 1);
  const auto dash = Chars(c == '-'), line = Chars(c == '_');
  const auto all = std::bit_cast<lanes::Of<std::uint64_t>>(upper | lower | digit | dash | line);
  c += (upper & -65) | (lower & -71) | (digit & 4) | (dash & 17) | (line & -32);
  auto twos = std::bit_cast<lanes::Of<std::uint16_t>>(c);
  twos = (twos & 0xff) << 6 | twos >> 8;
  auto fours = std::bit_cast<lanes::Of<std::uint32_t>>(twos);
  fours = (fours & 0xffff) << 12 | fours >> 16;
  auto halves = std::bit_cast<lanes::Of<std::uint64_t>>(fours);
  halves = (halves & 0xffffffff) << 24 | halves >> 32;
  high = halves[0], low = halves[1];
  return (all[0] & all[1]) == ~std::uint64_t{0};
}
#else
inline void Twelve::put_letters(char* to) const { one_by_one::put_letters(*this, to); }
inline bool Twelve::read_letters(const char* from) { return one_by_one::read_letters(*this, from); }
#endif

}  // namespace sancho
