// How a payload is written: in one order, whatever its parts come from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/envelope.hpp"
#include "protocol/payload.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {

template <class T>
std::string_view bytes_of(const T& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

// As a view into an array that lives as long as the call it is passed to.
struct EightBytes {
  explicit EightBytes(std::uint64_t v) { envelope::put_big_endian(bytes.data(), v); }
  operator std::string_view() const { return {bytes.data(), bytes.size()}; }
  std::array<char, 8> bytes;
};

// A `Packer` that writes in line, to where there is room for all that will come.
class Writer {
 public:
  explicit Writer(char* to) : at_(to) {}
  char* end() const { return at_; }

  void raw(std::string_view bytes) { at_ += bytes.copy(at_, bytes.size()); }
  void natural(std::uint64_t v) {
    if (v < 0x80) byte(v);
    else if (v <= 0xff) head(0xcc, v, 1);
    else if (v <= 0xffff) head(0xcd, v, 2);
    else if (v <= 0xffffffff) head(0xce, v, 4);
    else head(0xcf, v, 8);
  }
  void text(std::string_view v) {
    if (v.size() < 32) byte(0xa0 | v.size());
    else sized(0xd9, v.size());
    raw(v);
  }
  void binary_head(std::size_t size) { sized(0xc4, size); }
  void binary(std::string_view v) { binary_head(v.size()), raw(v); }
  void map(std::size_t pairs) {
    if (pairs < 16) byte(0x80 | pairs);
    else if (pairs <= 0xffff) head(0xde, pairs, 2);
    else head(0xdf, pairs, 4);
  }
  void time(Time t) {
    const auto ms = t.time_since_epoch().count();
    if (ms >= 0) return natural(static_cast<std::uint64_t>(ms));
    Packer p;  // before 1970
    p.integer(ms);
    raw(p.bytes());
  }
  void yes() { byte(0xc3); }
  void key(const SessionKey& k) {
    const auto tag = k.tag();
    binary_head(tag ? 35 : 32), raw(k.bytes());
    if (tag) byte(*tag >> 16 & 0xff), byte(*tag >> 8 & 0xff), byte(*tag & 0xff);
  }

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

// The payload's map: what stands alone is in `fields` (a `Payload` or a
// `PayloadView`), and `lists` writes its pairs where they belong, as many as it says.
//
// Fields at rest are left out.
template <class Fields, class Lists>
void write(Writer& out, const Fields& p, const Lists& lists) {
  std::size_t pairs = 1 + lists.pairs();  // `issued`
  for (const bool there : {p.predecessor.has_value(), p.successor.has_value(), p.nonce.has_value(), p.used.has_value(),
                           p.why != EndReason::none, p.authenticated.has_value(), p.persistent, !p.remote_address.empty(),
                           !p.user_agent.empty(), p.csrf.has_value()})
    pairs += there;
  out.map(pairs);
  lists.attempts(out);
  lists.spent(out);
  if (p.predecessor) out.text("pred"), out.key(*p.predecessor);
  if (p.successor) out.text("succ"), out.key(*p.successor);
  if (p.nonce) out.text("nonce"), out.binary(bytes_of(*p.nonce));
  if (p.used) out.text("used"), out.time(*p.used);
  if (p.why != EndReason::none) out.text("why"), out.natural(static_cast<std::uint8_t>(p.why));
  out.text("issued"), out.time(p.issued);
  if (p.authenticated) out.text("auth"), out.time(*p.authenticated);
  if (p.persistent) out.text("keep"), out.yes();
  if (!p.remote_address.empty()) out.text("addr"), out.text(p.remote_address);
  if (!p.user_agent.empty()) out.text("agent"), out.text(p.user_agent);
  lists.user(out);
  lists.tokens(out);
  if (p.csrf) out.text("csrf"), out.binary(bytes_of(*p.csrf));
  lists.slots(out);
  lists.unknown(out);
}

// The whole of it in its envelope, for this record. `lists.room()` is not less
// than what they write: nobody looks for the end.
template <class Fields, class Lists>
std::string write_sealed(const Record& record, const Fields& p, const Lists& lists) {
  using namespace envelope;
  std::array<char, 1024> near;
  std::string far;
  char* bytes = near.data();
  if (const auto room = 320 + p.remote_address.size() + p.user_agent.size() + lists.room(); room > near.size())
    far.resize(room), bytes = far.data();
  Writer out(bytes + head_size);
  write(out, p, lists);
  const std::string_view body(bytes + head_size, static_cast<std::size_t>(out.end() - bytes) - head_size);
  const auto crc = checksum(record, body);
  magic.copy(bytes, magic.size());
  bytes[magic.size()] = format;
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>(crc >> (24 - 8 * i) & 0xff);
  return {bytes, out.end()};
}

}  // namespace sancho::protocol
