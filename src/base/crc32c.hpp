// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of every record:
// it tells damage from data, and is no defence against a forger.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sancho {

// Of the parts, one after another. Goes on from `so_far`, the value for the bytes
// before these.
std::uint32_t crc32c(std::span<const std::string_view> parts, std::uint32_t so_far = 0);
inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0) { return crc32c(std::span{&bytes, 1}, so_far); }

// Of an octet, two numbers with their highest octets first, and the parts: as of all
// their bytes, which need not be put together for it.
std::uint32_t crc32c(std::uint8_t octet, std::uint64_t first, std::uint64_t second, std::span<const std::string_view> parts);

}  // namespace sancho
