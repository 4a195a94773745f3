#include "stores/redis/slot.hpp"

#include <array>

namespace sancho::redis {

namespace {

constexpr std::array<std::uint16_t, 256> crc_table = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc & 0xffff);
  }
  return table;
}();

}  // namespace

std::uint16_t crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) crc = (crc << 8 & 0xffff) ^ crc_table[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff];
  return static_cast<std::uint16_t>(crc);
}

Slot slot_of(std::string_view key) {
  if (const auto open = key.find('{'); open != key.npos) {
    const auto close = key.find('}', open + 1);
    if (close != key.npos && close != open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % slot_count;
}

char* put_tag(std::uint32_t tag, char* there) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = 20; shift >= 0; shift -= 4) *there++ = digits[tag >> shift & 0xf];
  return there;
}

std::string tag_text(std::uint32_t tag) {
  std::string text(6, '0');
  put_tag(tag, text.data());
  return text;
}

std::vector<std::uint32_t> tags_by_slot() {
  constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<std::uint32_t> tags(slot_count, none);
  std::size_t missing = slot_count;
  for (std::uint32_t tag = 0; missing > 0; ++tag) {
    auto& place = tags[crc16(tag_text(tag)) % slot_count];
    if (place != none) continue;
    place = tag;
    --missing;
  }
  return tags;
}

}  // namespace sancho::redis
