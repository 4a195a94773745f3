// The envelope around a payload: what its writer and its reader share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crc32c.hpp"
#include "sancho/record.hpp"

namespace sancho::protocol::envelope {

inline constexpr std::string_view magic = "SNP";
inline constexpr char format = 1;
inline constexpr std::size_t head_size = 8;

inline void put_big_endian(char* out, std::uint64_t v) {
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(v >> (56 - 8 * i) & 0xff);
}

// The checksum covers the columns that give the payload its meaning. Times are
// left out: touch raises the access time without reading the rest.
//
// They are laid in a row first: a checksum goes eight bytes at a time.
inline std::uint32_t checksum(const Record& record, std::string_view body) {
  std::array<char, 128> row;
  row[0] = static_cast<char>(record.state);
  put_big_endian(row.data() + 1, record.version.incarnation);
  put_big_endian(row.data() + 9, record.version.counter);
  std::size_t size = 17;
  size += record.handle.text().copy(row.data() + size, 16);
  const bool fits = record.subject.size() <= row.size() - size;
  if (fits) size += record.subject.copy(row.data() + size, record.subject.size());
  auto crc = crc32c({row.data(), size});
  if (!fits) crc = crc32c(record.subject, crc);
  return crc32c(body, crc);
}

}  // namespace sancho::protocol::envelope
