// What a payload holds, and how it is written.
#include "protocol/payload.hpp"

#include <algorithm>

#include "protocol/envelope.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {

using namespace envelope;

// ## Slots by name

namespace {
auto place(auto& slots, std::string_view name) {
  return std::lower_bound(slots.begin(), slots.end(), name, [](const SlotBytes& s, std::string_view n) { return s.name < n; });
}
}  // namespace

SlotBytes* Payload::find(std::string_view name) {
  const auto at = place(slots, name);
  return at != slots.end() && at->name == name ? &*at : nullptr;
}

const SlotBytes* Payload::find(std::string_view name) const {
  const auto at = place(slots, name);
  return at != slots.end() && at->name == name ? &*at : nullptr;
}

void Payload::put(std::string_view name, std::string value) {
  const auto at = place(slots, name);
  if (at != slots.end() && at->name == name) at->value = std::move(value);
  else slots.insert(at, {std::string(name), std::move(value)});
}

void Payload::drop(std::string_view name) {
  const auto at = place(slots, name);
  if (at != slots.end() && at->name == name) slots.erase(at);
}

// ## Writing

namespace {
template <class T>
std::string_view bytes_of(const T& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

// As a view into an array that lives as long as the call it is passed to.
struct EightBytes {
  explicit EightBytes(std::uint64_t v) { put_big_endian(bytes.data(), v); }
  operator std::string_view() const { return {bytes.data(), bytes.size()}; }
  std::array<char, 8> bytes;
};

// 32 bytes, or 35 where a routing tag stands behind them.
std::string packed(const SessionKey& key) {
  std::string out(key.bytes());
  if (const auto tag = key.tag())
    for (int shift = 16; shift >= 0; shift -= 8) out.push_back(static_cast<char>(*tag >> shift & 0xff));
  return out;
}
}  // namespace

namespace {
std::size_t pairs_of(const Payload& p) {
  std::size_t pairs = 1;  // `issued`
  for (const bool there : {!p.attempts.empty(), !p.spent.empty(), p.predecessor.has_value(), p.successor.has_value(), p.nonce.has_value(),
                           p.used.has_value(), p.why != EndReason::none, p.authenticated.has_value(), p.persistent,
                           !p.remote_address.empty(), !p.user_agent.empty(), !p.user.empty(), !p.tokens.empty(), p.csrf.has_value(),
                           !p.slots.empty()})
    pairs += there;
  for (Unpacker u(p.unknown); !u.done(); ++pairs) u.value(), u.value();
  return pairs;
}

// Not less than its bytes: whoever writes them does not look for the end.
std::size_t room_for(const Payload& p) {
  std::size_t size = 320 + 8 * p.attempts.size() + 24 * p.spent.size() + 16 * p.tokens.size() + p.remote_address.size() +
                     p.user_agent.size() + p.user.size() + p.unknown.size();
  for (const auto& s : p.slots) size += s.name.size() + s.value.size() + 5;
  return size;
}
}  // namespace

namespace {
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

void write(Writer& out, const Payload& p) {
  out.map(pairs_of(p));
  // Fields at rest are left out.
  if (!p.attempts.empty()) {
    out.text("attempts"), out.binary_head(8 * p.attempts.size());
    for (const auto a : p.attempts) out.raw(EightBytes(a));
  }
  if (!p.spent.empty()) {
    out.text("spent"), out.binary_head(24 * p.spent.size());
    for (const auto& s : p.spent) out.raw(bytes_of(s.token)), out.raw(EightBytes(s.attempt));
  }
  if (p.predecessor) out.text("pred"), out.binary(packed(*p.predecessor));
  if (p.successor) out.text("succ"), out.binary(packed(*p.successor));
  if (p.nonce) out.text("nonce"), out.binary(bytes_of(*p.nonce));
  if (p.used) out.text("used"), out.time(*p.used);
  if (p.why != EndReason::none) out.text("why"), out.natural(static_cast<std::uint8_t>(p.why));
  out.text("issued"), out.time(p.issued);
  if (p.authenticated) out.text("auth"), out.time(*p.authenticated);
  if (p.persistent) out.text("keep"), out.yes();
  if (!p.remote_address.empty()) out.text("addr"), out.text(p.remote_address);
  if (!p.user_agent.empty()) out.text("agent"), out.text(p.user_agent);
  if (!p.user.empty()) out.text("user"), out.raw(p.user);
  if (!p.tokens.empty()) {
    out.text("tokens"), out.binary_head(16 * p.tokens.size());
    for (const auto& t : p.tokens) out.raw(bytes_of(t));
  }
  if (p.csrf) out.text("csrf"), out.binary(bytes_of(*p.csrf));
  if (!p.slots.empty()) {
    out.text("slots"), out.map(p.slots.size());
    for (const auto& s : p.slots) out.text(s.name), out.raw(s.value);
  }
  out.raw(p.unknown);
}
}  // namespace

std::string seal(const Record& record, const Payload& p) {
  std::array<char, 1024> near;
  std::string far;
  char* bytes = near.data();
  if (const auto room = room_for(p); room > near.size()) far.resize(room), bytes = far.data();
  Writer out(bytes + head_size);
  write(out, p);
  const std::string_view body(bytes + head_size, static_cast<std::size_t>(out.end() - bytes) - head_size);
  const auto crc = checksum(record, body);
  magic.copy(bytes, magic.size());
  bytes[magic.size()] = format;
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>(crc >> (24 - 8 * i) & 0xff);
  return {bytes, out.end()};
}

// ## The CSRF secret at rest

Secret32 csrf_mask(const SessionId& id) { return id.mac("sancho csrf at rest"); }

Secret32 operator^(const Secret32& a, const Secret32& b) {
  Secret32 out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
  return out;
}

}  // namespace sancho::protocol
