// # Which of the 16384
//
// Redis Cluster keeps a key by its hash slot: CRC-16/XMODEM of the part in the
// first braces, or of the whole key, modulo 16384.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sancho::redis {

inline constexpr std::size_t slot_count = 16384;
using Slot = std::uint16_t;

std::uint16_t crc16(std::string_view bytes);
Slot slot_of(std::string_view key);

// Six digits of hexadecimal: what stands in the braces of our keys.
std::string tag_text(std::uint32_t tag);
// The same, put there. Returns where they end.
char* put_tag(std::uint32_t tag, char* there);

// For each slot the least tag whose keys it has: a name in every slot.
std::vector<std::uint32_t> tags_by_slot();

}  // namespace sancho::redis
