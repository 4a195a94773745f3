#include "base64url.hpp"

#include <array>
#include <cstdint>

namespace sancho {

namespace {
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t none = 0xff;

constexpr auto values = [] {
  std::array<std::uint8_t, 256> v{};
  v.fill(none);
  for (std::size_t i = 0; i < alphabet.size(); ++i) v[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return v;
}();
}  // namespace

std::string base64url(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::byte b : bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(b);
    for (held += 8; held >= 6; held -= 6) text.push_back(alphabet[bits >> (held - 6) & 63]);
  }
  if (held > 0) text.push_back(alphabet[bits << (6 - held) & 63]);
  return text;
}

bool from_base64url(std::string_view text, std::span<std::byte> out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const auto v = values[static_cast<unsigned char>(c)];
    if (v == none) return false;
    bits = bits << 6 | v;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = static_cast<std::byte>(bits >> held & 0xff);
    }
  }
  return (bits & ((1u << held) - 1)) == 0;
}

}  // namespace sancho
