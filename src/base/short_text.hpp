// # Looking through a few bytes
//
// In line: of the fifty bytes of a header's line a call takes longer than the looking.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sancho {

// As `text.find(wanted)`.
inline std::size_t find_byte(std::string_view text, char wanted) {
#ifdef __SSE2__
  constexpr std::size_t step = 16;
  const auto look = [&](std::size_t at) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
  };
  std::size_t at = 0;
  for (; at + step <= text.size(); at += step)
    if (const auto hits = look(at); hits != 0) return at + static_cast<unsigned>(std::countr_zero(hits));
  if (at == text.size()) return std::string_view::npos;
  if (at > 0) {
    // The last sixteen; those before the rest have been looked at.
    at = text.size() - step;
    const auto hits = look(at);
    return hits != 0 ? at + static_cast<unsigned>(std::countr_zero(hits)) : std::string_view::npos;
  }
#endif
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == wanted) return i;
  return std::string_view::npos;
}

// Are the first `size` bytes of both the same?
inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  const auto differ = [&](auto word, std::size_t at) {
    auto other = word;
    std::memcpy(&word, a + at, sizeof word);
    std::memcpy(&other, b + at, sizeof other);
    return word != other;
  };
  if (size >= sizeof(std::uint64_t)) {
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (differ(std::uint64_t{}, at)) return false;
    return !differ(std::uint64_t{}, size - 8);
  }
  if (size >= 4) return !differ(std::uint32_t{}, 0) && !differ(std::uint32_t{}, size - 4);
  for (std::size_t at = 0; at < size; ++at)
    if (a[at] != b[at]) return false;
  return true;
}

}  // namespace sancho
