// How a payload is written: in one order, whatever its parts come from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/big_endian.hpp"
#include "base/inline_packer.hpp"
#include "protocol/envelope.hpp"
#include "protocol/payload.hpp"

namespace sancho::protocol {

template <class T>
std::string_view bytes_of(const T& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

class Writer : public InlinePacker {
 public:
  using InlinePacker::InlinePacker;
  // With its routing tag, of three bytes, if it has one.
  void key(const SessionKey& k) {
    const auto tag = k.tag();
    binary_head(tag ? 35 : 32), raw(k.bytes());
    if (tag) raw(std::string_view(EightBytes(*tag)).substr(5));
  }
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
  magic.copy(bytes, magic.size());
  bytes[magic.size()] = format;
  put_big_endian(bytes + 4, checksum(record, body));
  return {bytes, out.end()};
}

}  // namespace sancho::protocol
