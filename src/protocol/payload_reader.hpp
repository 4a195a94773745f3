// How the parts of a payload are read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/big_endian.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {

// A name of one to eight letters.
struct Name {
  template <std::size_t n>
  consteval Name(const char (&text)[n]) : size(n - 1) {
    static_assert(n > 1 && n - 1 <= sizeof letters);
    std::copy_n(text, size, letters);
  }
  constexpr std::string_view text() const { return {letters, size}; }

  char letters[8] = {};
  std::size_t size;
};

// An `Unpacker` for what payloads mostly consist of, which is read here, in line;
// whatever else comes, and whatever is wrong, is the other's.
class Reader {
  template <class Read>
  auto slow(Read read) {
    Unpacker u(rest_);
    auto v = read(u);
    rest_ = u.rest();
    return v;
  }

 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

  std::string_view text() {
    const auto size = lead() & 0x1fu;
    if ((lead() & 0xe0) == 0xa0 && size < rest_.size()) return take(1, size);
    return slow([](Unpacker& u) { return u.text(); });
  }

  // What comes next as a number, to be compared with names at once. Zero: too little.
  std::uint64_t ahead() const { return rest_.size() > 8 ? get_big_endian<std::uint64_t>(rest_.data()) : 0; }
  // Is it a text of just this name, written as short as can be? False, too, where there
  // is too little. `ahead` is what is ahead.
  template <Name name>
  bool begins_with(std::uint64_t ahead) const {
    constexpr auto seen = std::min(name.size, sizeof ahead - 1);  // of its letters
    constexpr auto expected = [] {
      std::uint64_t bytes = 0xa0 | name.size;
      for (std::size_t i = 0; i < seen; ++i) bytes = bytes << 8 | static_cast<unsigned char>(name.letters[i]);
      return bytes;
    }();
    if (ahead >> (56 - 8 * seen) != expected) return false;
    if constexpr (seen < name.size) return rest_[name.size] == name.letters[seen];
    return true;
  }
  // Over that text.
  void pass(const Name& name) { rest_.remove_prefix(1 + name.size); }

  std::string_view binary() {
    if (lead() == 0xc4 && rest_.size() >= 2 && byte(1) <= rest_.size() - 2) return take(2, byte(1));
    return slow([](Unpacker& u) { return u.binary(); });
  }
  std::int64_t integer() {
    if (lead() == 0xcf && rest_.size() >= 9 && byte(1) < 0x80) {
      const auto v = get_big_endian<std::uint64_t>(rest_.data() + 1);
      rest_.remove_prefix(9);
      return static_cast<std::int64_t>(v);
    }
    return slow([](Unpacker& u) { return u.integer(); });
  }
  std::uint64_t natural() {
    return slow([](Unpacker& u) { return u.natural(); });
  }
  bool boolean() {
    return slow([](Unpacker& u) { return u.boolean(); });
  }
  std::size_t map() {
    if ((lead() & 0xf0) == 0x80) return static_cast<unsigned char>(take(0, 1).front()) & 0xfu;
    return slow([](Unpacker& u) { return u.map(); });
  }
  bool at_map() const { return (lead() & 0xf0) == 0x80 || (lead() & 0xfe) == 0xde; }
  // A scalar, or a map of them.
  std::string_view value() {
    std::size_t size = 1;
    if ((lead() & 0xf0) == 0x80) {
      for (auto scalars = 2 * (lead() & 0x0fu); scalars > 0 && size > 0; --scalars) size = past_scalar(size);
    } else {
      size = past_scalar(0);
    }
    if (size > 0 && size <= rest_.size()) return take(0, size);
    return slow([](Unpacker& u) { return u.value(); });
  }

 private:
  unsigned lead() const { return rest_.empty() ? 0xc1u : byte(0); }  // 0xc1 begins nothing
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(rest_[at]); }
  std::string_view take(std::size_t head, std::size_t size) {
    const auto taken = rest_.substr(head, size);
    rest_.remove_prefix(head + size);
    return taken;
  }
  // Where the scalar at `at` ends, perhaps beyond the bytes; zero: another kind.
  std::size_t past_scalar(std::size_t at) const {
    if (at >= rest_.size()) return 0;
    const auto first = byte(at);
    if (first < 0x80 || first >= 0xe0) return at + 1;
    if (first >= 0xa0 && first < 0xc0) return at + 1 + (first & 0x1f);
    if (first == 0xc4 || first == 0xd9) return at + 1 < rest_.size() ? at + 2 + byte(at + 1) : 0;
    if (first >= 0xcc && first <= 0xd3) return at + 1 + (std::size_t{1} << ((first - 0xcc) & 3));
    return 0;
  }
  std::string_view rest_;
};

}  // namespace sancho::protocol
