#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#include "base/big_endian.hpp"

namespace sancho {

namespace {
constexpr auto table = [] {
  std::array<std::uint32_t, 256> t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t v = i;
    for (int bit = 0; bit < 8; ++bit) v = v & 1 ? v >> 1 ^ 0x82f63b78u : v >> 1;
    t[i] = v;
  }
  return t;
}();

std::uint32_t by_table(std::span<const std::string_view> parts, std::uint32_t crc) {
  for (const auto part : parts)
    for (const char c : part) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  return crc;
}

// Every x86-64 processor since 2010 has instructions for it.
#if defined(__x86_64__)
// What carries a checksum over `n` zero bytes: the power of x that they are, divided
// by what an eight-byte step of the instruction multiplies with by itself.
template <std::size_t n>
constexpr std::uint64_t over = [] {
  std::uint32_t power = 1u << 31;  // 1; the highest power is the lowest bit
  for (std::size_t i = 0; i < 8 * n - 33; ++i) power = power & 1 ? power >> 1 ^ 0x82f63b78u : power >> 1;
  return power;
}();

// The product of two polynomials.
__attribute__((target("pclmul"))) inline std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  using Pair [[gnu::vector_size(16)]] = long long;
  return static_cast<std::uint64_t>(__builtin_ia32_pclmulqdq128(Pair{static_cast<long long>(a)}, Pair{static_cast<long long>(b)}, 0)[0]);
}

template <class Word = std::uint64_t>
Word word_at(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// The instruction takes three cycles, and another can begin in each: three lanes.
constexpr std::size_t lane = 64;

__attribute__((target("sse4.2,pclmul"))) inline std::uint32_t of_part(std::string_view bytes, std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; bytes.size() >= 3 * lane; bytes.remove_prefix(3 * lane)) {
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < lane; i += 8) {
      wide = __builtin_ia32_crc32di(wide, word_at(bytes.data() + i));
      second = __builtin_ia32_crc32di(second, word_at(bytes.data() + lane + i));
      third = __builtin_ia32_crc32di(third, word_at(bytes.data() + 2 * lane + i));
    }
    wide = __builtin_ia32_crc32di(0, product(wide, over<2 * lane>) ^ product(second, over<lane>)) ^ third;
  }
  for (; bytes.size() >= 32; bytes.remove_prefix(32))
    for (std::size_t i = 0; i < 32; i += 8) wide = __builtin_ia32_crc32di(wide, word_at(bytes.data() + i));
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) wide = __builtin_ia32_crc32di(wide, word_at(bytes.data()));
  crc = static_cast<std::uint32_t>(wide);
  const char* at = bytes.data();
  if (bytes.size() & 4) crc = __builtin_ia32_crc32si(crc, word_at<std::uint32_t>(at)), at += 4;
  if (bytes.size() & 2) crc = __builtin_ia32_crc32hi(crc, word_at<std::uint16_t>(at)), at += 2;
  if (bytes.size() & 1) crc = __builtin_ia32_crc32qi(crc, word_at<std::uint8_t>(at));
  return crc;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t by_instruction(std::span<const std::string_view> parts, std::uint32_t crc) {
  for (const auto part : parts) crc = of_part(part, crc);
  return crc;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t by_instruction(std::uint8_t octet, std::uint64_t first, std::uint64_t second,
                                                                      std::span<const std::string_view> parts) {
  std::uint64_t wide = __builtin_ia32_crc32qi(~0u, octet);
  wide = __builtin_ia32_crc32di(wide, big_endian(first));  // its lowest octet comes first
  wide = __builtin_ia32_crc32di(wide, big_endian(second));
  auto crc = static_cast<std::uint32_t>(wide);
  for (const auto part : parts) crc = of_part(part, crc);
  return crc;
}

bool has_instructions() {
  static const bool has = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  return has;
}
#endif
}  // namespace

std::uint32_t crc32c(std::span<const std::string_view> parts, std::uint32_t so_far) {
#if defined(__x86_64__)
  if (has_instructions()) return ~by_instruction(parts, ~so_far);
#endif
  return ~by_table(parts, ~so_far);
}

std::uint32_t crc32c(std::uint8_t octet, std::uint64_t first, std::uint64_t second, std::span<const std::string_view> parts) {
#if defined(__x86_64__)
  if (has_instructions()) return ~by_instruction(octet, first, second, parts);
#endif
  const auto state = static_cast<char>(octet);
  const EightBytes numbers[] = {EightBytes(first), EightBytes(second)};
  const std::string_view head[] = {{&state, 1}, numbers[0], numbers[1]};
  return ~by_table(parts, by_table(head, ~0u));
}

}  // namespace sancho
