// How a payload is read.
#include <cstring>
#include <tuple>

#include "base/big_endian.hpp"
#include "protocol/envelope.hpp"
#include "protocol/payload.hpp"
#include "protocol/payload_reader.hpp"
#include "sancho/error.hpp"

namespace sancho::protocol {

using namespace envelope;

namespace {
[[noreturn]] void corrupt(const char* how) { throw StoreError(Trouble::corrupt, std::string("a payload is corrupt: ") + how); }

template <class T>
T fixed(std::string_view bytes) {
  T array;
  if (bytes.size() != array.size()) corrupt("a field has another length");
  std::memcpy(array.data(), bytes.data(), bytes.size());
  return array;
}

Attempt attempt_at(std::string_view bytes) { return get_big_endian<Attempt>(bytes.substr(0, 8).data()); }

SessionKey key(std::string_view bytes) {
  std::optional<std::uint32_t> tag;
  if (bytes.size() == 35) {
    tag = 0;
    for (const char c : bytes.substr(32)) tag = *tag << 8 | static_cast<unsigned char>(c);
    bytes.remove_suffix(3);
  }
  const auto k = SessionKey::from_bytes(bytes, tag);
  if (!k) corrupt("a key has another length");
  return *k;
}

Time time(std::int64_t ms) {
  if (ms > std::int64_t{1} << 53 || ms < -(std::int64_t{1} << 53)) corrupt("a time is out of range");
  return Time{Duration{ms}};
}
}  // namespace

bool is_readable(const Record& record) {
  try {
    (void)PayloadView(record);
    return true;
  } catch (const StoreError&) {
    return false;
  }
}

PayloadView::PayloadView(const Record& record) {
  const std::string_view bytes = record.payload;
  if (bytes.size() < head_size || bytes.substr(0, 3) != magic) corrupt("it does not begin as one");
  const auto body = bytes.substr(head_size);
  if (checksum(record, body) != get_big_endian<std::uint32_t>(bytes.data() + 4)) corrupt("its checksum is wrong");
  if (static_cast<unsigned char>(bytes[3]) > format)
    throw StoreError(Trouble::unavailable, "a payload was written by a newer version of sancho");
  if (bytes[3] != format) corrupt("it has no such format version");
  try {
    take_apart(body);
  } catch (const DecodeError& e) {
    corrupt(e.what());
  }
  if (attempts.size() % 8 != 0 || spent.size() % 24 != 0 || tokens.size() % 16 != 0) corrupt("a list has a broken end");
}

namespace {
// How a field is read, by the name it is written under.
template <Name its_name, class Read>
struct Field {
  static constexpr auto name = its_name;
  Read read;
};
template <Name name, class Read>
constexpr Field<name, Read> field(Read read) {
  return {read};
}

// In the order in which they are written.
constexpr std::tuple fields{
    field<"attempts">([](PayloadView& v, Reader& r) { v.attempts = r.binary(); }),
    field<"spent">([](PayloadView& v, Reader& r) { v.spent = r.binary(); }),
    field<"pred">([](PayloadView& v, Reader& r) { v.predecessor = key(r.binary()); }),
    field<"succ">([](PayloadView& v, Reader& r) { v.successor = key(r.binary()); }),
    field<"nonce">([](PayloadView& v, Reader& r) { v.nonce = fixed<Nonce>(r.binary()); }),
    field<"used">([](PayloadView& v, Reader& r) { v.used = time(r.integer()); }),
    field<"why">([](PayloadView& v, Reader& r) {
      const auto n = r.natural();
      if (n > static_cast<std::uint8_t>(EndReason::empty))
        throw StoreError(Trouble::unavailable, "a session ended for a reason of a newer version of sancho");
      v.why = static_cast<EndReason>(n);
    }),
    field<"issued">([](PayloadView& v, Reader& r) { v.issued = time(r.integer()); }),
    field<"auth">([](PayloadView& v, Reader& r) { v.authenticated = time(r.integer()); }),
    field<"keep">([](PayloadView& v, Reader& r) { v.persistent = r.boolean(); }),
    field<"addr">([](PayloadView& v, Reader& r) { v.remote_address = r.text(); }),
    field<"agent">([](PayloadView& v, Reader& r) { v.user_agent = r.text(); }),
    field<"user">([](PayloadView& v, Reader& r) { v.user = r.value(); }),
    field<"tokens">([](PayloadView& v, Reader& r) { v.tokens = r.binary(); }),
    field<"csrf">([](PayloadView& v, Reader& r) { v.csrf = fixed<Secret32>(r.binary()); }),
    field<"slots">([](PayloadView& v, Reader& r) {
      v.slots = r.value();
      if (!Reader(v.slots).at_map()) corrupt("its slots are no map");
    }),
};
}  // namespace

// Each field is expected where it would have been written.
void PayloadView::take_apart(std::string_view body) {
  Reader r(body);
  auto pairs = r.map();
  auto ahead = r.ahead();
  const auto expect = [&](const auto& field) {
    if (pairs == 0 || !r.begins_with<std::remove_cvref_t<decltype(field)>::name>(ahead)) return;
    r.pass(field.name);
    field.read(*this, r);
    --pairs;
    ahead = r.ahead();
  };
  std::apply([&](const auto&... field) { (expect(field), ...); }, fields);
  for (; pairs > 0; --pairs) take_any(r);
  if (!r.done()) corrupt("something stands behind it");
}

[[gnu::noinline]] void PayloadView::take_any(Reader& r) {
  const auto pair = r.rest();
  const auto name = r.text();
  const auto take = [&](const auto& field) {
    if (name != field.name.text()) return false;
    field.read(*this, r);
    return true;
  };
  if (std::apply([&](const auto&... field) { return (take(field) || ...); }, fields)) return;
  if (name.starts_with('!'))
    throw StoreError(Trouble::unavailable, "a payload has a critical field of a newer version of sancho");
  r.value();
  unknown_.push_back(pair.substr(0, pair.size() - r.rest().size()));
}

std::optional<std::string_view> PayloadView::slot(std::string_view wanted) const {
  if (slots.empty()) return std::nullopt;
  try {
    Reader r(slots);
    for (auto pairs = r.map(); pairs > 0; --pairs) {
      const auto name = r.text();
      const auto value = r.value();
      if (name == wanted) return value;
    }
  } catch (const DecodeError& e) {
    corrupt(e.what());
  }
  return std::nullopt;
}

bool PayloadView::did(Attempt attempt) const {
  for (std::size_t i = 0; i < attempts.size(); i += 8)
    if (attempt_at(attempts.substr(i)) == attempt) return true;
  for (std::size_t i = 0; i < spent.size(); i += 24)
    if (attempt_at(spent.substr(i + 16)) == attempt) return true;
  return false;
}

Payload unseal(const Record& record) {
  return PayloadView(record).owned();
}

Payload PayloadView::owned() const {
  const auto& v = *this;
  Payload p;
  p.attempts.reserve(v.attempts.size() / 8 + 1);
  for (std::size_t i = 0; i < v.attempts.size(); i += 8) p.attempts.push_back(attempt_at(v.attempts.substr(i)));
  for (std::size_t i = 0; i < v.spent.size(); i += 24)
    p.spent.push_back({fixed<TokenDigest>(v.spent.substr(i, 16)), attempt_at(v.spent.substr(i + 16))});
  p.predecessor = v.predecessor;
  p.successor = v.successor;
  p.nonce = v.nonce;
  p.used = v.used;
  p.why = v.why;
  p.issued = v.issued;
  p.authenticated = v.authenticated;
  p.persistent = v.persistent;
  p.remote_address = v.remote_address;
  p.user_agent = v.user_agent;
  p.user = v.user;
  for (std::size_t i = 0; i < v.tokens.size(); i += 16) p.tokens.push_back(fixed<TokenDigest>(v.tokens.substr(i, 16)));
  p.csrf = v.csrf;
  if (!v.slots.empty()) {
    try {
      Reader r(v.slots);
      auto pairs = r.map();
      p.slots.reserve(pairs + 1);
      for (; pairs > 0; --pairs) {
        const auto name = r.text();
        const bool next = p.slots.empty() || p.slots.back().name < name;
        std::string value(r.value());
        if (next) p.slots.push_back({std::string(name), std::move(value)});
        else p.put(name, std::move(value));
      }
    } catch (const DecodeError& e) {
      corrupt(e.what());
    }
  }
  for (const auto pair : unknown_) p.unknown.append(pair);
  return p;
}

}  // namespace sancho::protocol
