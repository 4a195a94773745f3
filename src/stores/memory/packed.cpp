#include "stores/memory/packed.hpp"

#include <array>
#include <bit>
#include <type_traits>

#include "base/sixteen_letters.hpp"

namespace sancho::memory {

namespace {
enum Bit : unsigned { wide = 8, tagged = 16, named = 32, handled = 64, large = 128 };

constexpr std::size_t version_at = 32, times_at = 48, lengths_at = 69;

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
std::byte* put(std::byte* at, const T& value) {
  static_assert(std::is_arithmetic_v<T>);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
std::byte* put_text(std::byte* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// ## Narrow times
constexpr int moment_bits = 42, idle_bits = 34;
constexpr std::uint64_t low(int n) { return (std::uint64_t{1} << n) - 1; }
std::uint64_t number(Time t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); }
std::uint64_t number(Duration d) { return static_cast<std::uint64_t>(d.count()); }
Time moment(std::uint64_t n) { return Time{Duration{static_cast<std::int64_t>(n)}}; }
Duration span(std::uint64_t n) { return Duration{static_cast<std::int64_t>(n)}; }

bool narrow(Time t) { return number(t) <= low(moment_bits); }
bool narrow(const Record& r, Time accessed) {
  return narrow(r.created) && narrow(accessed) && narrow(r.ends) && number(r.idle) <= low(idle_bits);
}

// ## Handles
//
// 16 characters of base64url are 12 bytes. A `Handle` has no others.
std::byte* put_handle(std::byte* at, std::string_view text) {
  Twelve bytes;
  bytes.read_letters(text.data());
  bytes.put(at);
  return at + Twelve::bytes;
}

Handle get_handle(const std::byte* at) {
  std::array<char, Twelve::letters> text;
  Twelve::at(at).put_letters(text.data());
  static_assert(sizeof(Handle) == sizeof text);
  return std::bit_cast<Handle>(text);
}
}  // namespace

Shape::Shape(const SessionKey& key, const Record& record, Time accessed) : bits(static_cast<std::uint8_t>(record.state)), size(lengths_at) {
  const auto part = [&](bool there, Bit bit, std::size_t bytes) {
    if (there) bits |= static_cast<std::uint8_t>(bit), size += bytes;
  };
  const bool long_ones = record.payload.size() > 0xffff || record.subject.size() > 0xffff;
  part(long_ones, large, 4);
  part(!narrow(record, accessed), wide, 16);
  part(key.tag().has_value(), tagged, 4);
  part(!record.handle.empty(), handled, 12);
  part(!record.subject.empty(), named, (long_ones ? 4 : 2) + 4 + record.subject.size());
  size += (long_ones ? 0 : 2) + record.payload.size();
}

void pack(std::byte* at, const Shape& shape, const SessionKey& key, const Record& record, Time access, std::uint32_t entry) {
  at = put_text(at, key.bytes());
  at = put(at, record.version.incarnation), at = put(at, record.version.counter);
  const auto created = number(record.created), accessed = number(access), ends = number(record.ends), idle = number(record.idle);
  if (shape.bits & wide) {
    at = put(put(put(at, accessed), ends), std::uint32_t{0});
  } else {
    at = put(at, created | ends << moment_bits), at = put(at, accessed | idle << moment_bits);
    at = put(at, static_cast<std::uint32_t>(ends >> 22 | idle >> 22 << 20));
  }
  at = put(at, shape.bits);
  const auto put_length = [&](std::size_t n) {
    at = shape.bits & large ? put(at, static_cast<std::uint32_t>(n)) : put(at, static_cast<std::uint16_t>(n));
  };
  put_length(record.payload.size());
  if (shape.bits & named) put_length(record.subject.size());
  if (shape.bits & wide) at = put(put(at, created), idle);
  if (shape.bits & tagged) at = put(at, *key.tag());
  if (shape.bits & handled) at = put_handle(at, record.handle.text());
  if (shape.bits & named) at = put_text(put(at, entry), record.subject);
  put_text(at, record.payload);
}

// ## Reading

struct Packed::Times {
  Time created, accessed, ends;
  Duration idle;
};

// Where the parts lie that not every record has.
struct Packed::Parts {
  std::uint32_t payload_size = 0, subject_size = 0;
  const std::byte *times = nullptr, *tag = nullptr, *handle = nullptr, *entry = nullptr, *subject = nullptr, *payload = nullptr;
};

inline Packed::Parts Packed::parts() const {
  const unsigned b = bits();
  Parts parts;
  const std::byte* at = at_ + lengths_at;
  const auto length = [&] {
    const auto n = b & large ? get<std::uint32_t>(at) : get<std::uint16_t>(at);
    at += b & large ? 4 : 2;
    return n;
  };
  parts.payload_size = length();
  if (b & named) parts.subject_size = length();
  const auto part = [&](unsigned bit, std::size_t size) {
    const auto* here = at;
    if (b & bit) at += size;
    return here;
  };
  parts.times = part(wide, 16);
  parts.tag = part(tagged, 4);
  parts.handle = part(handled, 12);
  parts.entry = part(named, 4);
  parts.subject = part(named, parts.subject_size);
  parts.payload = at;
  return parts;
}

inline Packed::Times Packed::times() const {
  const auto a = get<std::uint64_t>(at_ + times_at), b = get<std::uint64_t>(at_ + times_at + 8);
  if (bits() & wide) {
    const auto* more = parts().times;
    return {moment(get<std::uint64_t>(more)), moment(a), moment(b), span(get<std::uint64_t>(more + 8))};
  }
  const std::uint64_t c = get<std::uint32_t>(at_ + times_at + 16);
  return {moment(a & low(moment_bits)), moment(b & low(moment_bits)), moment(a >> moment_bits | (c & low(20)) << 22),
          span(b >> moment_bits | c >> 20 << 22)};
}

Version Packed::version() const { return {get<std::uint64_t>(at_ + version_at), get<std::uint64_t>(at_ + version_at + 8)}; }

Time Packed::accessed() const { return times().accessed; }

Time Packed::expires() const {
  const auto t = times();
  const bool idles = state() == State::pending || state() == State::live;
  return idles ? std::min(t.accessed + t.idle, t.ends) : t.ends;
}

Handle Packed::handle() const { return bits() & handled ? get_handle(parts().handle) : Handle{}; }

std::string_view Packed::subject() const {
  const auto p = parts();
  return {reinterpret_cast<const char*>(p.subject), p.subject_size};
}

std::uint32_t Packed::entry() const { return bits() & named ? get<std::uint32_t>(parts().entry) : 0; }

SessionKey Packed::key() const {
  const auto tag = bits() & tagged ? std::optional(get<std::uint32_t>(parts().tag)) : std::nullopt;
  return *SessionKey::from_bytes({reinterpret_cast<const char*>(at_), 32}, tag);
}

void Packed::read(Record& into) const {
  const auto p = parts();
  const auto t = times();
  into.version = version();
  into.state = state();
  into.created = t.created, into.accessed = t.accessed, into.idle = t.idle, into.ends = t.ends;
  into.subject.assign(reinterpret_cast<const char*>(p.subject), p.subject_size);
  into.handle = bits() & handled ? get_handle(p.handle) : Handle{};
  into.payload.assign(reinterpret_cast<const char*>(p.payload), p.payload_size);
}

bool Packed::raise(Time accessed) {
  if (accessed <= times().accessed) return true;
  if (bits() & wide) {
    put(at_ + times_at, number(accessed));
    return true;
  }
  if (!narrow(accessed)) return false;
  const auto b = get<std::uint64_t>(at_ + times_at + 8);
  put(at_ + times_at + 8, (b & ~low(moment_bits)) | number(accessed));
  return true;
}

}  // namespace sancho::memory
