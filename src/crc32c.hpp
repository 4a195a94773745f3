// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of every record:
// it tells damage from data, and is no defence against a forger.
#pragma once

#include <cstdint>
#include <string_view>

namespace sancho {

// Goes on from `so_far`, the value for the bytes before these.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0);

}  // namespace sancho
