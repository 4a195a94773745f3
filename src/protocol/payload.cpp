#include "protocol/payload.hpp"

#include <algorithm>
#include <cstring>

#include "crc32c.hpp"
#include "sancho/error.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {

namespace {
constexpr std::string_view magic = "SNP";
constexpr char format = 1;
constexpr std::size_t head_size = 8;

[[noreturn]] void corrupt(const char* how) { throw StoreError(Trouble::corrupt, std::string("a payload is corrupt: ") + how); }

// The checksum covers the columns that give the payload its meaning. Times are
// left out: touch raises the access time without reading the rest.
std::uint32_t checksum(const Record& record, std::string_view body) {
  std::array<char, 17> columns;
  columns[0] = static_cast<char>(record.state);
  for (std::size_t i = 0; i < 8; ++i) {
    columns[1 + i] = static_cast<char>(record.version.incarnation >> (56 - 8 * i) & 0xff);
    columns[9 + i] = static_cast<char>(record.version.counter >> (56 - 8 * i) & 0xff);
  }
  auto crc = crc32c({columns.data(), columns.size()});
  crc = crc32c(record.handle.text(), crc);
  crc = crc32c(record.subject, crc);
  return crc32c(body, crc);
}

template <class T>
std::string_view bytes_of(const T& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

template <class T>
T fixed(std::string_view bytes) {
  T array;
  if (bytes.size() != array.size()) corrupt("a field has another length");
  std::memcpy(array.data(), bytes.data(), bytes.size());
  return array;
}

std::string packed(const std::vector<Attempt>& attempts) {
  std::string out;
  for (const auto a : attempts)
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(a >> shift & 0xff));
  return out;
}

Attempt attempt_at(std::string_view bytes) {
  Attempt a = 0;
  for (std::size_t i = 0; i < 8; ++i) a = a << 8 | static_cast<unsigned char>(bytes[i]);
  return a;
}

// 32 bytes, or 35 where a routing tag stands behind them.
std::string packed(const SessionKey& key) {
  std::string out(key.bytes());
  if (const auto tag = key.tag())
    for (int shift = 16; shift >= 0; shift -= 8) out.push_back(static_cast<char>(*tag >> shift & 0xff));
  return out;
}

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

std::string seal(const Record& record, const Payload& p) {
  // Fields at rest are left out, so the map is counted first.
  Packer fields;
  std::size_t pairs = 0;
  const auto field = [&](std::string_view name) { ++pairs, fields.text(name); };
  if (!p.attempts.empty()) field("attempts"), fields.binary(packed(p.attempts));
  if (!p.spent.empty()) {
    std::string all;
    for (const auto& s : p.spent) all.append(bytes_of(s.token)).append(packed(std::vector{s.attempt}));
    field("spent"), fields.binary(all);
  }
  if (p.predecessor) field("pred"), fields.binary(packed(*p.predecessor));
  if (p.successor) field("succ"), fields.binary(packed(*p.successor));
  if (p.nonce) field("nonce"), fields.binary(bytes_of(*p.nonce));
  if (p.used) field("used"), fields.integer(p.used->time_since_epoch().count());
  if (p.why != EndReason::none) field("why"), fields.natural(static_cast<std::uint8_t>(p.why));
  field("issued"), fields.integer(p.issued.time_since_epoch().count());
  if (p.authenticated) field("auth"), fields.integer(p.authenticated->time_since_epoch().count());
  if (p.persistent) field("keep"), fields.boolean(true);
  if (!p.remote_address.empty()) field("addr"), fields.text(p.remote_address);
  if (!p.user_agent.empty()) field("agent"), fields.text(p.user_agent);
  if (!p.user.empty()) field("user"), fields.raw(p.user);
  if (!p.tokens.empty()) {
    std::string all;
    for (const auto& t : p.tokens) all.append(bytes_of(t));
    field("tokens"), fields.binary(all);
  }
  if (p.csrf) field("csrf"), fields.binary(bytes_of(*p.csrf));
  if (!p.slots.empty()) {
    field("slots"), fields.map(p.slots.size());
    for (const auto& s : p.slots) fields.text(s.name), fields.raw(s.value);
  }
  for (Unpacker u(p.unknown); !u.done(); ++pairs) u.value(), u.value();

  Packer body;
  body.map(pairs);
  body.raw(fields.bytes());
  body.raw(p.unknown);
  const auto crc = checksum(record, body.bytes());
  std::string out;
  out.reserve(head_size + body.bytes().size());
  out.append(magic);
  out.push_back(format);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift & 0xff));
  out.append(body.bytes());
  return out;
}

// ## Reading

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
  std::uint32_t crc = 0;
  for (std::size_t i = 4; i < head_size; ++i) crc = crc << 8 | static_cast<unsigned char>(bytes[i]);
  if (checksum(record, body) != crc) corrupt("its checksum is wrong");
  if (static_cast<unsigned char>(bytes[3]) > format)
    throw StoreError(Trouble::unavailable, "a payload was written by a newer version of sancho");
  if (bytes[3] != format) corrupt("it has no such format version");
  try {
    Unpacker u(body);
    for (auto pairs = u.map(); pairs > 0; --pairs) {
      const auto pair = u.rest();
      const auto name = u.text();
      if (name == "attempts") attempts = u.binary();
      else if (name == "spent") spent = u.binary();
      else if (name == "pred") predecessor = key(u.binary());
      else if (name == "succ") successor = key(u.binary());
      else if (name == "nonce") nonce = fixed<Nonce>(u.binary());
      else if (name == "used") used = time(u.integer());
      else if (name == "why") {
        const auto n = u.natural();
        if (n > static_cast<std::uint8_t>(EndReason::empty))
          throw StoreError(Trouble::unavailable, "a session ended for a reason of a newer version of sancho");
        why = static_cast<EndReason>(n);
      } else if (name == "issued") issued = time(u.integer());
      else if (name == "auth") authenticated = time(u.integer());
      else if (name == "keep") persistent = u.boolean();
      else if (name == "addr") remote_address = u.text();
      else if (name == "agent") user_agent = u.text();
      else if (name == "user") user = u.value();
      else if (name == "tokens") tokens = u.binary();
      else if (name == "csrf") csrf = fixed<Secret32>(u.binary());
      else if (name == "slots") {
        slots = u.value();
        if (Unpacker(slots).next() != Unpacker::Kind::map) corrupt("its slots are no map");
      } else if (name.starts_with('!')) {
        throw StoreError(Trouble::unavailable, "a payload has a critical field of a newer version of sancho");
      } else {
        u.value();
        unknown_.push_back(pair.substr(0, pair.size() - u.rest().size()));
      }
    }
    if (!u.done()) corrupt("something stands behind it");
  } catch (const DecodeError& e) {
    corrupt(e.what());
  }
  if (attempts.size() % 8 != 0 || spent.size() % 24 != 0 || tokens.size() % 16 != 0) corrupt("a list has a broken end");
}

std::optional<std::string_view> PayloadView::slot(std::string_view wanted) const {
  if (slots.empty()) return std::nullopt;
  try {
    Unpacker u(slots);
    for (auto pairs = u.map(); pairs > 0; --pairs) {
      const auto name = u.text();
      const auto value = u.value();
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
  const PayloadView v(record);
  Payload p;
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
      Unpacker u(v.slots);
      for (auto pairs = u.map(); pairs > 0; --pairs) {
        const auto name = u.text();
        p.put(name, std::string(u.value()));
      }
    } catch (const DecodeError& e) {
      corrupt(e.what());
    }
  }
  for (const auto pair : v.unknown_) p.unknown.append(pair);
  return p;
}

// ## The CSRF secret at rest

Secret32 csrf_mask(const SessionId& id) { return id.mac("sancho csrf at rest"); }

Secret32 operator^(const Secret32& a, const Secret32& b) {
  Secret32 out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
  return out;
}

}  // namespace sancho::protocol
