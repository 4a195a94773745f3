// The three cryptographic functions this library needs, over OpenSSL, each
// with the call that costs least there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/big_endian.hpp"

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

// Of a number in eight bytes, the highest first, and 32 bytes: what most session keys
// are made of.
Digest sha256(std::uint64_t number, std::span<const std::byte, 32> bytes);

// HMAC-SHA256 (RFC 2104) of the parts, one after another, with a key of at
// most 64 bytes.
Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::string_view> parts);

// A length in eight bytes, big endian, to stand before a part of any length, so
// that two lists of parts never run together into the same bytes.
using LengthPrefix = EightBytes;

// Equality in time that depends on the lengths only.
bool same_secret(std::span<const std::byte> a, std::span<const std::byte> b);

// Overwrites, in a way the optimiser keeps: what might be read from it afterwards,
// the compiler cannot know.
inline void wipe(std::span<std::byte> secret) {
  std::fill(secret.begin(), secret.end(), std::byte{0});
  __asm__ __volatile__("" : : "r"(secret.data()) : "memory");
}

}  // namespace sancho
