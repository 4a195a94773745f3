// The envelope around a payload: what its writer and its reader share.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "big_endian.hpp"
#include "crc32c.hpp"
#include "sancho/record.hpp"

namespace sancho::protocol::envelope {

inline constexpr std::string_view magic = "SNP";
inline constexpr char format = 1;
inline constexpr std::size_t head_size = 8;

// The checksum covers the columns that give the payload its meaning. Times are
// left out: touch raises the access time without reading the rest.
inline std::uint32_t checksum(const Record& record, std::string_view body) {
  const char state = static_cast<char>(record.state);
  const auto handle = record.handle.text();
  std::array<char, 32> row;
  put_big_endian(row.data(), record.version.incarnation);
  put_big_endian(row.data() + 8, record.version.counter);
  if (!handle.empty()) std::memcpy(row.data() + 16, handle.data(), 16);
  const std::string_view parts[] = {{&state, 1}, {row.data(), 16 + handle.size()}, record.subject, body};
  return crc32c(parts);
}

}  // namespace sancho::protocol::envelope
