// How a payload is read.
#include <cstring>

#include "big_endian.hpp"
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

void PayloadView::take_apart(std::string_view body) {
  Reader r(body);
  for (auto pairs = r.map(); pairs > 0; --pairs) {
    const auto pair = r.rest();
    switch (r.word()) {
      case word_of("attempts"): attempts = r.binary(); break;
      case word_of("spent"): spent = r.binary(); break;
      case word_of("pred"): predecessor = key(r.binary()); break;
      case word_of("succ"): successor = key(r.binary()); break;
      case word_of("nonce"): nonce = fixed<Nonce>(r.binary()); break;
      case word_of("used"): used = time(r.integer()); break;
      case word_of("why"): {
        const auto n = r.natural();
        if (n > static_cast<std::uint8_t>(EndReason::empty))
          throw StoreError(Trouble::unavailable, "a session ended for a reason of a newer version of sancho");
        why = static_cast<EndReason>(n);
        break;
      }
      case word_of("issued"): issued = time(r.integer()); break;
      case word_of("auth"): authenticated = time(r.integer()); break;
      case word_of("keep"): persistent = r.boolean(); break;
      case word_of("addr"): remote_address = r.text(); break;
      case word_of("agent"): user_agent = r.text(); break;
      case word_of("user"): user = r.value(); break;
      case word_of("tokens"): tokens = r.binary(); break;
      case word_of("csrf"): csrf = fixed<Secret32>(r.binary()); break;
      case word_of("slots"):
        slots = r.value();
        if (!Reader(slots).at_map()) corrupt("its slots are no map");
        break;
      default:
        r = Reader(pair);
        if (r.text().starts_with('!'))
          throw StoreError(Trouble::unavailable, "a payload has a critical field of a newer version of sancho");
        r.value();
        unknown_.push_back(pair.substr(0, pair.size() - r.rest().size()));
    }
  }
  if (!r.done()) corrupt("something stands behind it");
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
