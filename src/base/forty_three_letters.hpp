// # 43 letters of base64url as 32 bytes, as ids and secrets have
//
// In two ways, both without a table in memory and in a time that does not depend on
// the letters: by sixteens as everywhere (sixteen_letters.hpp), and by instructions that
// every x86-64 processor has had since 2006.
#pragma once

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

#include "base/sixteen_letters.hpp"

namespace sancho::forty_three {

// Each: true, they were letters, and none of the two bits behind the last byte is set.
// Else `out` is anything.
inline bool by_lanes(const char* text, std::byte* out) {
  Twelve first, second, last;
  bool good = first.read_letters(text);
  good &= second.read_letters(text + 16);
  good &= last.read_letters(text + 27);
  put_two_big_endian(out, first.high << 16 | first.low >> 32, first.low << 32 | second.high >> 16);
  put_two_big_endian(out + 16, second.high << 48 | second.low, last.high << 46 | last.low >> 2);
  return good && (last.low & 3) == 0;
}

#if defined(__x86_64__)
// A letter is known by its halves. Each row of sixteen, by the upper half, has a bit of
// its own, and each column the bits of the rows in which it is no letter.
struct Letters {
  __m128i wrong;  // not zero where there was no letter
  __m128i bytes;  // twelve, and four zeros
};

__attribute__((target("ssse3"))) inline Letters from_sixteen(__m128i c) {
  const auto half = _mm_set1_epi8(15);
  const auto row = _mm_and_si128(_mm_srli_epi32(c, 4), half);
  const auto rows = _mm_setr_epi8(32, 32, 1, 2, 4, 8, 4, 16, 32, 32, 32, 32, 32, 32, 32, 32);
  const auto columns = _mm_setr_epi8(37, 33, 33, 33, 33, 33, 33, 33, 33, 33, 35, 59, 59, 58, 59, 51);
  const auto wrong = _mm_and_si128(_mm_shuffle_epi8(rows, row), _mm_shuffle_epi8(columns, _mm_and_si128(c, half)));
  // How far a row lies from its values; `_` lies elsewhere than the rest of its row.
  const auto far = _mm_setr_epi8(0, 0, 17, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const auto line = _mm_and_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('_')), _mm_set1_epi8(33));
  const auto sixes = _mm_add_epi8(_mm_add_epi8(c, line), _mm_shuffle_epi8(far, row));
  const auto twelves = _mm_maddubs_epi16(sixes, _mm_set1_epi32(0x01400140));
  const auto words = _mm_madd_epi16(twelves, _mm_set1_epi32(0x00011000));
  return {wrong, _mm_shuffle_epi8(words, _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1))};
}

__attribute__((target("ssse3"))) inline bool by_rows(const char* text, std::byte* out) {
  const auto at = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i)); };
  // Eleven are left for the third, and `A`, which is zero.
  const auto none = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'A', 'A', 'A', 'A', 'A');
  const auto first = from_sixteen(at(0)), second = from_sixteen(at(16));
  const auto last = from_sixteen(_mm_or_si128(_mm_srli_si128(at(27), 5), none));
  auto* to = reinterpret_cast<__m128i*>(out);
  _mm_storeu_si128(to, _mm_or_si128(first.bytes, _mm_slli_si128(second.bytes, 12)));
  _mm_storeu_si128(to + 1, _mm_or_si128(_mm_srli_si128(second.bytes, 4), _mm_slli_si128(last.bytes, 8)));
  // Two bits stand behind the last byte.
  const auto wrong = _mm_or_si128(_mm_or_si128(first.wrong, second.wrong), _mm_or_si128(last.wrong, _mm_srli_si128(last.bytes, 8)));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128())) == 0xffff;
}
#endif

inline bool read(const char* text, std::byte* out) {
#if defined(__x86_64__)
  static const bool can = __builtin_cpu_supports("ssse3");
  if (can) return by_rows(text, out);
#endif
  return by_lanes(text, out);
}

}  // namespace sancho::forty_three
