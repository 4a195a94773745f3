#include "base64url.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace sancho {

namespace {
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t none = 1u << 31;

constexpr auto places = [] {
  std::array<std::array<std::uint32_t, 256>, 4> v{};
  for (unsigned place = 0; place < 4; ++place) {
    v[place].fill(none);
    for (std::uint32_t i = 0; i < alphabet.size(); ++i) v[place][static_cast<unsigned char>(alphabet[i])] = i << (18 - 6 * place);
  }
  return v;
}();
}  // namespace

void put_base64url(char* out, std::span<const std::byte> bytes) {
  // Eight are read, and six of them taken.
  for (; bytes.size() >= 8; bytes = bytes.subspan(6), out += 8) put_eight_characters(out, get_big_endian<std::uint64_t>(bytes.data()) >> 16);
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::byte b : bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(b);
    for (held += 8; held >= 6; held -= 6) *out++ = alphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) *out++ = alphabet[bits << (6 - held) & 63];
}

std::string base64url(std::span<const std::byte> bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  put_base64url(text.data(), bytes);
  return text;
}

// Four letters at a time, each looked up where its place in the group is added too.
// What is no letter has the high bit, and that is looked at once, at the end.
bool from_base64url(std::string_view text, std::span<std::byte> out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  const auto letter = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::uint32_t seen = 0;
  std::size_t from = 0, to = 0;
  for (; to + 3 <= out.size(); from += 4, to += 3) {
    const auto bits = places[0][letter(from)] | places[1][letter(from + 1)] | places[2][letter(from + 2)] | places[3][letter(from + 3)];
    seen |= bits;
    const auto bytes = big_endian(bits << 8);
    std::memcpy(out.data() + to, &bytes, 3);
  }
  // One or two bytes more, and the bits that they leave unused.
  std::uint32_t bits = 0;
  for (std::size_t place = 0; from < text.size(); ++from, ++place) bits |= places[place][letter(from)];
  seen |= bits;
  for (auto shift = 16u; to < out.size(); ++to, shift -= 8) {
    out[to] = static_cast<std::byte>(bits >> shift & 0xff);
    bits &= (1u << shift) - 1;
  }
  const bool unused = out.size() % 3 != 0 && (bits & 0xffffff) != 0;
  return seen < none && !unused;
}

}  // namespace sancho
