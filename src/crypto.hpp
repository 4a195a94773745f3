// The three cryptographic functions this library needs, over OpenSSL, each
// with the call that costs least there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sancho {

using Digest = std::array<std::byte, 32>;

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// SHA-256 of the parts, one after another.
Digest sha256(std::span<const std::string_view> parts);

// HMAC-SHA256 (RFC 2104) of the parts, one after another, with a key of at
// most 64 bytes.
Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::string_view> parts);

// A length in eight bytes, big endian, to stand before a part of any length, so
// that two lists of parts never run together into the same bytes.
struct LengthPrefix {
  explicit LengthPrefix(std::size_t n) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(static_cast<std::uint64_t>(n) >> (56 - 8 * i) & 0xff);
  }
  operator std::string_view() const { return {bytes.data(), bytes.size()}; }
  std::array<char, 8> bytes;
};

// Equality in time that depends on the lengths only.
bool same_secret(std::span<const std::byte> a, std::span<const std::byte> b);

// Overwrites, in a way the optimiser keeps.
void wipe(std::span<std::byte> secret);

}  // namespace sancho
