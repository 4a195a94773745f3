// base64url without padding (RFC 4648, section 5), for things that go into
// cookies and forms. Decoding accepts only what encoding gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "big_endian.hpp"

namespace sancho {

// ceil(4 n / 3) characters for n bytes; into room for them, or as a string.
void put_base64url(char* out, std::span<const std::byte> bytes);
std::string base64url(std::span<const std::byte> bytes);

// Eight characters of 48 bits, all at once: the bits are spread to six a byte, and
// each byte is raised by what its range of the alphabet lies higher. No sum
// exceeds a byte.
inline void put_eight_characters(char* out, std::uint64_t bits) {
  constexpr std::uint64_t each = 0x0101010101010101;
  bits = (bits & 0xffffff000000) << 8 | (bits & 0xffffff);
  bits = (bits & 0x00fff00000fff000) << 4 | (bits & 0x00000fff00000fff);
  bits = (bits & 0x0fc00fc00fc00fc0) << 2 | (bits & 0x003f003f003f003f);
  const auto from = [bits](unsigned n) { return (bits + each * (128 - n)) >> 7 & each; };
  const auto text = bits + each * 'A' + from(26) * 6 + from(63) * 49 - from(52) * 75 - from(62) * 13;
  put_big_endian(out, text);  // the first character is in the highest byte
}

// Fills `out` exactly and returns true, or returns false: another length,
// another alphabet, or unused low bits that are not zero.
bool from_base64url(std::string_view text, std::span<std::byte> out);

}  // namespace sancho
