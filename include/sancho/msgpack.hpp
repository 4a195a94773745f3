// # MessagePack, bounded
//
// What slots, users and payloads are written in (https://msgpack.org). The
// reader works on views, allocates nothing, and believes no length, depth or
// count that the bytes left over cannot back: a hostile record costs an
// exception, not memory.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// These bytes are not what the reader was asked for: truncated, another type,
// out of range, nested too deep. Nothing has been taken from a wrong type.
class DecodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Appends values to a string it owns. Writes each number in its shortest form,
// so that equal values have equal bytes.
class Packer {
 public:
  void nil();
  void boolean(bool v);
  void integer(std::int64_t v);
  void natural(std::uint64_t v);
  void real(double v);
  void text(std::string_view v);    // UTF-8 by convention, not checked
  void binary(std::string_view v);  // any bytes
  void array(std::size_t size);     // then that many values
  void map(std::size_t size);       // then that many pairs of key and value
  void raw(std::string_view encoded);  // one value that is encoded already

  const std::string& bytes() const& { return out_; }
  std::string take() && { return std::move(out_); }

 private:
  void head(unsigned char lead, std::uint64_t v, int width);
  std::string out_;
};

// Reads values one after another from bytes that outlive it. Every function
// throws `DecodeError` if the next value is not of its kind.
class Unpacker {
 public:
  // No value may nest deeper than this.
  static constexpr int max_depth = 32;

  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  enum class Kind { nil, boolean, integer, real, text, binary, array, map, other };
  // What comes next; throws at the end of the bytes.
  Kind next() const;
  bool done() const { return rest_.empty(); }
  // The bytes that have not been read.
  std::string_view rest() const { return rest_; }

  void nil();
  bool boolean();
  std::int64_t integer();    // any integer that fits
  std::uint64_t natural();   // any integer that is not negative
  double real();             // an integer is accepted too
  std::string_view text();   // a view into the bytes
  std::string_view binary();
  std::size_t array();  // the number of values that follow, at least one byte each
  std::size_t map();    // the number of pairs that follow
  // One whole value of any kind, checked and passed over; its bytes.
  std::string_view value();

 private:
  unsigned char peek() const;
  std::string_view take(std::uint64_t n);
  std::uint64_t big_endian(int width);
  void skip(int depth);
  std::string_view rest_;
};

}  // namespace sancho
