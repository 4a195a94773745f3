// The envelope around a payload: what its writer and its reader share.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/crc32c.hpp"
#include "sancho/record.hpp"

namespace sancho::protocol::envelope {

inline constexpr std::string_view magic = "SNP";
inline constexpr char format = 1;
inline constexpr std::size_t head_size = 8;

// The checksum covers the columns that give the payload its meaning. Times are
// left out: touch raises the access time without reading the rest.
inline std::uint32_t checksum(const Record& record, std::string_view body) {
  const std::string_view parts[] = {record.handle.text(), record.subject, body};
  return crc32c(static_cast<std::uint8_t>(record.state), record.version.incarnation, record.version.counter, parts);
}

}  // namespace sancho::protocol::envelope
