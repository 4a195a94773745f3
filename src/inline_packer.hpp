// A `Packer` that writes in line, to where there is room for all that will come.
#pragma once

#include <cstdint>
#include <string_view>

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
    else if (v <= 0xff) head(0xcc, v, 1);
    else if (v <= 0xffff) head(0xcd, v, 2);
    else if (v <= 0xffffffff) head(0xce, v, 4);
    else head(0xcf, v, 8);
  }
  void integer(std::int64_t v) {
    const auto bits = static_cast<std::uint64_t>(v);
    if (v >= 0) natural(bits);
    else if (v >= -32) byte(bits);
    else if (v >= -0x80) head(0xd0, bits, 1);
    else if (v >= -0x8000) head(0xd1, bits, 2);
    else if (v >= -0x80000000LL) head(0xd2, bits, 4);
    else head(0xd3, bits, 8);
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
    else if (pairs <= 0xffff) head(0xde, pairs, 2);
    else head(0xdf, pairs, 4);
  }
  void yes() { byte(0xc3); }

 private:
  void byte(std::uint64_t v) { *at_++ = static_cast<char>(v & 0xff); }
  void head(unsigned lead, std::uint64_t v, int width) {
    byte(lead);
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) byte(v >> shift);
  }
  // The three leads that say in how many bytes a length follows.
  void sized(unsigned lead, std::size_t size) {
    if (size <= 0xff) head(lead, size, 1);
    else if (size <= 0xffff) head(lead + 1, size, 2);
    else head(lead + 2, size, 4);
  }
  char* at_;
};

}  // namespace sancho
