// base64url without padding (RFC 4648, section 5), for things that go into
// cookies and forms. Decoding accepts only what encoding gives.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sancho {

// ceil(4 n / 3) characters for n bytes; into room for them, or as a string.
void put_base64url(char* out, std::span<const std::byte> bytes);
std::string base64url(std::span<const std::byte> bytes);

// Fills `out` exactly and returns true, or returns false: another length,
// another alphabet, or unused low bits that are not zero.
bool from_base64url(std::string_view text, std::span<std::byte> out);

}  // namespace sancho
