// The three cryptographic functions this library needs, over OpenSSL, each
// with the call that costs least there.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace sancho {

using Digest = std::array<std::byte, 32>;

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// SHA-256 of the parts, one after another.
Digest sha256(std::span<const std::string_view> parts);

// HMAC-SHA256 (RFC 2104) of the parts, one after another, with a key of at
// most 64 bytes.
Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::string_view> parts);

// Equality in time that depends on the lengths only.
bool same_secret(std::span<const std::byte> a, std::span<const std::byte> b);

// Overwrites, in a way the optimiser keeps.
void wipe(std::span<std::byte> secret);

}  // namespace sancho
