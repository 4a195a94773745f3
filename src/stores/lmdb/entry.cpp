#include "stores/lmdb/entry.hpp"

#include <algorithm>
#include <bit>

#include "base/big_endian.hpp"
#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "stores/columns.hpp"
#include "stores/lmdb/packed_record.hpp"

namespace sancho::lmdb {

namespace {
constexpr std::size_t head_size = 20;  // accessed, due, checksum

void append(std::string& out, std::uint64_t v, int bits) {
  const EightBytes all(v);
  const auto size = static_cast<std::size_t>(bits / 8);
  out.append(std::string_view(all).substr(8 - size));
}

std::uint64_t number(std::string_view bytes) { return get_big_endian(bytes.data(), bytes.size()); }

// In the order of time as bytes, before 1970 too.
constexpr std::uint64_t sign = std::uint64_t{1} << 63;
void append(std::string& out, Time t) {
  append(out, std::bit_cast<std::uint64_t>(t.time_since_epoch().count()) ^ sign, 64);
}
Time time(std::string_view bytes) { return Time{Duration{std::bit_cast<std::int64_t>(number(bytes) ^ sign)}}; }

// Over the key, and what stands first under it.
std::uint32_t checksum(std::string_view key, std::string_view first) {
  const std::string_view parts[] = {key, first};
  return crc32c(parts);
}
void append_checksum(std::string& out, std::string_view key) { append(out, checksum(key, out), 32); }

bool checked(std::string_view key, std::string_view first, std::string_view crc) { return checksum(key, first) == number(crc); }

std::string encode_head(std::string_view key, const Head& head, std::size_t body) {
  std::string out;
  out.reserve(head_size + body);
  append(out, head.accessed);
  append(out, head.due);
  append_checksum(out, key);
  return out;
}
}  // namespace

std::string encode_entry(Layout layout, const SessionKey& key, const Record& record, Time accessed, Time due) {
  constexpr std::size_t besides = 192;  // of a record's fields, about
  auto out = encode_head(key.bytes(), {accessed, due}, record.subject.size() + record.payload.size() + besides);
  if (layout == Layout::one_tree) append_packed(out, key, record);
  else append_record(out, record);
  return out;
}

std::optional<Head> head_of(std::string_view key, std::string_view value) {
  if (value.size() < head_size || !checked(key, value.substr(0, 16), value.substr(16, 4))) return std::nullopt;
  return Head{time(value.substr(0, 8)), time(value.substr(8, 8))};
}

Entry decode_entry(Layout layout, const SessionKey& key, std::string_view value, const std::string& store) {
  Entry entry;
  entry.due = decode_entry(layout, key, value, store, entry.record);
  return entry;
}

Time decode_entry(Layout layout, const SessionKey& key, std::string_view value, const std::string& store, Record& into) {
  const auto head = head_of(key.bytes(), value);
  if (!head) throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is");
  try {
    const auto body = value.substr(head_size);
    if (layout == Layout::one_tree) unpack(key, body, into);
    else decode_record(body, into);
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), store + ": " + e.what());
  }
  into.accessed = head->accessed;
  return head->due;
}

std::string with_head(std::string_view key, std::string_view value, const Head& head) {
  const auto body = value.substr(head_size);
  return encode_head(key, head, body.size()).append(body);
}

void require_writable(const Record& r, const std::string& store) {
  columns::require_writable(r, store);
  if (r.payload.size() + r.subject.size() > std::size_t{1} << 30)
    throw StoreError(Trouble::refused, store + ": a record is larger than 1 GiB");
}

// ## The other tables

std::string due_key(Time due, std::string_view key) {
  std::string out;
  out.reserve(due_time_size + key.size());
  append(out, due);
  return out.append(key);
}

Time time_of_due_key(std::string_view key) { return key.size() < due_time_size ? Time::min() : time(key.substr(0, due_time_size)); }

std::string subject_digest(std::string_view subject) {
  const auto digest = sha256({&subject, 1});
  return std::string(as_text(digest));
}

std::string encode_epoch(std::string_view digest, const Epoch& epoch) {
  std::string out;
  append(out, epoch.number, 64);
  append(out, epoch.until);
  append_checksum(out, digest);
  return out;
}

std::optional<Epoch> decode_epoch(std::string_view digest, std::string_view value) {
  if (value.size() != 20 || !checked(digest, value.substr(0, 16), value.substr(16, 4))) return std::nullopt;
  return Epoch{number(value.substr(0, 8)), time(value.substr(8, 8))};
}

}  // namespace sancho::lmdb
