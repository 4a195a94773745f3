// A file's name in a directory of records: short, and no string of its own.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/big_endian.hpp"
#include "sancho/id.hpp"

namespace sancho {

class FileName {
 public:
  // The longest is a dot and a key.
  static constexpr std::size_t most = 1 + 64;

  FileName() = default;
  // Of `most` characters at most; what is longer names no file.
  explicit FileName(std::string_view text) { append(text); }
  static FileName of_key(const SessionKey& key, bool hidden) {
    FileName name;
    if (hidden) name.append(".");
    name.append_hex(key.bytes());
    return name;
  }
  static FileName of_number(std::string_view prefix, std::uint64_t number) {
    FileName name(prefix);
    char bytes[sizeof number];
    put_big_endian(bytes, number);
    name.append_hex({bytes, sizeof bytes});
    return name;
  }

  const char* c_str() const { return text_.data(); }
  bool empty() const { return size_ == 0; }
  bool operator==(const FileName&) const = default;

 private:
  void append(std::string_view text) {
    if (text.size() <= most - size_) size_ += text.copy(text_.data() + size_, text.size());
  }
  void append_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (bytes.size() * 2 > most - size_) return;
    char* to = text_.data() + size_;
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      *to++ = digits[byte >> 4];
      *to++ = digits[byte & 15];
    }
    size_ += bytes.size() * 2;
  }

  std::array<char, most + 1> text_{};
  std::size_t size_ = 0;
};

}  // namespace sancho
