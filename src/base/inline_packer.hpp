// A `Packer` that writes in line, to where there is room for all that will come.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/big_endian.hpp"
#include "sancho/time.hpp"

namespace sancho {

class InlinePacker {
 public:
  // No number takes more; nor does what stands in front of a text.
  static constexpr std::size_t most_of_number = 9, most_of_head = 5;

  explicit InlinePacker(char* to) : at_(to) {}
  char* end() const { return at_; }

  void raw(std::string_view bytes) { at_ += bytes.copy(at_, bytes.size()); }
  void natural(std::uint64_t v) {
    if (v < 0x80) byte(v);
    else if (v <= 0xff) head<std::uint8_t>(0xcc, v);
    else if (v <= 0xffff) head<std::uint16_t>(0xcd, v);
    else if (v <= 0xffffffff) head<std::uint32_t>(0xce, v);
    else head<std::uint64_t>(0xcf, v);
  }
  void integer(std::int64_t v) {
    const auto bits = static_cast<std::uint64_t>(v);
    if (v >= 0) natural(bits);
    else if (v >= -32) byte(bits);
    else if (v >= -0x80) head<std::uint8_t>(0xd0, bits);
    else if (v >= -0x8000) head<std::uint16_t>(0xd1, bits);
    else if (v >= -0x80000000LL) head<std::uint32_t>(0xd2, bits);
    else head<std::uint64_t>(0xd3, bits);
  }
  void time(Time t) { integer(t.time_since_epoch().count()); }
  void text_head(std::size_t size) {
    if (size < 32) byte(0xa0 | size);
    else sized(0xd9, size);
  }
  void text(std::string_view v) { text_head(v.size()), raw(v); }
  void binary_head(std::size_t size) { sized(0xc4, size); }
  void binary(std::string_view v) { binary_head(v.size()), raw(v); }
  void map(std::size_t pairs) {
    if (pairs < 16) byte(0x80 | pairs);
    else if (pairs <= 0xffff) head<std::uint16_t>(0xde, pairs);
    else head<std::uint32_t>(0xdf, pairs);
  }
  void yes() { byte(0xc3); }

 private:
  void byte(std::uint64_t v) { *at_++ = static_cast<char>(v & 0xff); }
  template <class T>
  void head(unsigned lead, std::uint64_t v) {
    byte(lead);
    put_big_endian(at_, static_cast<T>(v));
    at_ += sizeof(T);
  }
  // The three leads that say in how many bytes a length follows.
  void sized(unsigned lead, std::size_t size) {
    if (size <= 0xff) head<std::uint8_t>(lead, size);
    else if (size <= 0xffff) head<std::uint16_t>(lead + 1, size);
    else head<std::uint32_t>(lead + 2, size);
  }
  char* at_;
};

}  // namespace sancho
