// # Numbers as bytes, the highest first
//
// As digests, formats and wires have them. There is an instruction for it, and of a
// loop over the bytes compilers make something ten times as long.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sancho {

// The same bytes the other way round, where the lowest is the first.
template <std::unsigned_integral T>
T big_endian(T n) {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return n;
#ifdef __GNUC__
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(n);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(n);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(n);
#endif
  T turned = 0;
  for (std::size_t i = 0; i < sizeof n; ++i, n = static_cast<T>(n >> 8)) turned = static_cast<T>(turned << 8 | (n & 0xff));
  return turned;
}

template <std::unsigned_integral T>
void put_big_endian(void* to, T n) {
  n = big_endian(n);
  std::memcpy(to, &n, sizeof n);
}

template <std::unsigned_integral T>
T get_big_endian(const void* from) {
  T n;
  std::memcpy(&n, from, sizeof n);
  return big_endian(n);
}

// Two numbers of eight bytes, written at once: who reads sixteen bytes from where two
// have just been written waits until both are in the cache.
inline void put_two_big_endian(void* to, std::uint64_t a, std::uint64_t b) {
#ifdef __GNUC__
  using Two [[gnu::vector_size(16)]] = std::uint64_t;
  const Two two = {big_endian(a), big_endian(b)};
#else
  const std::uint64_t two[] = {big_endian(a), big_endian(b)};
#endif
  std::memcpy(to, &two, sizeof two);
}

// Of 1, 2, 4 or 8 bytes.
inline std::uint64_t get_big_endian(const void* from, std::size_t width) {
  switch (width) {
    case 1: return get_big_endian<std::uint8_t>(from);
    case 2: return get_big_endian<std::uint16_t>(from);
    case 4: return get_big_endian<std::uint32_t>(from);
    default: return get_big_endian<std::uint64_t>(from);
  }
}

// A number's bytes as a view into this, for the call it is passed to.
struct EightBytes {
  explicit EightBytes(std::uint64_t n) { put_big_endian(bytes.data(), n); }
  operator std::string_view() const { return {bytes.data(), bytes.size()}; }
  std::array<char, 8> bytes;
};

}  // namespace sancho
