// # A record in as few bytes as it takes
//
// Key and record together, in one run of bytes that is copied into a `Record` and
// out of it, and compared, judged and touched where it lies. Bytes of this
// process alone: they are no format, and nobody else reads them.
//
//     0   32  key
//     32  16  version
//     48  20  created, accessed, ends, idle
//     68   1  state, and what of the rest is there
//     69      lengths of payload and subject, 2 bytes each, or 4
//             16 bytes more of times    if these are wide
//              4 bytes  routing tag     if the key has one
//             12 bytes  handle          if there is one
//              4 bytes  place in the index of subjects, then the subject
//             the payload
//
// Times are 42 bits of milliseconds since 1970, idle times 34 bits: until 2109,
// and half a year. Whatever else there is has wide ones, 64 bits each.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sancho/record.hpp"

namespace sancho::memory {

using Hash = std::uint64_t;

// Of a key's 32 bytes, all of them. The digests that keys are need no more than
// this: every bit of it depends on all words.
inline Hash hash_of(const std::byte* key) {
  const auto word = [&](std::size_t i) {
    std::uint64_t w;
    std::memcpy(&w, key + 8 * i, sizeof w);
    return w;
  };
  const auto h = (word(0) ^ std::rotl(word(1), 16) ^ std::rotl(word(2), 32) ^ std::rotl(word(3), 48)) * 0x9e3779b97f4a7c15;
  return h ^ h >> 32;
}
inline Hash hash_of(const SessionKey& key) { return hash_of(reinterpret_cast<const std::byte*>(key.bytes().data())); }

// What a record looks like when it is packed, with this access time in place of
// its own.
struct Shape {
  Shape(const SessionKey& key, const Record& record, Time accessed);
  std::uint8_t bits;
  std::size_t size;
};

// Writes `shape.size` bytes. `entry` is what the index of subjects calls it.
void pack(std::byte* at, const Shape& shape, const SessionKey& key, const Record& record, Time accessed, std::uint32_t entry);

// A view of packed bytes, which must outlive it.
class Packed {
 public:
  explicit Packed(std::byte* at) : at_(at) {}

  bool is(const SessionKey& key) const { return std::memcmp(at_, key.bytes().data(), 32) == 0; }
  Hash hash() const { return hash_of(at_); }
  SessionKey key() const;

  Version version() const;
  State state() const { return static_cast<State>(bits() & 7); }
  Time accessed() const;
  // As `Record::expires`.
  Time expires() const;
  Handle handle() const;
  std::string_view subject() const;
  // What `pack` was given; 0 where there is no subject.
  std::uint32_t entry() const;

  // All of it. What the record's strings can hold already is not allocated anew.
  void read(Record& into) const;

  // Raises the access time. False: there is no room for such a time.
  bool raise(Time accessed);

 private:
  struct Times;
  struct Parts;
  std::uint8_t bits() const { return std::to_integer<std::uint8_t>(at_[68]); }
  Times times() const;
  Parts parts() const;

  std::byte* at_;
};

}  // namespace sancho::memory
