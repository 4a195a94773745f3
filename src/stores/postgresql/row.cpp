#include "stores/postgresql/row.hpp"

#include <array>
#include <bit>

#include "base/big_endian.hpp"
#include "base/crypto.hpp"
#include "stores/columns.hpp"

namespace sancho::postgresql {

namespace {

// What PostgreSQL takes in one packet is four times that.
constexpr std::size_t largest = std::size_t{256} << 20;

// As `int8send` has it.
struct Int8 : EightBytes {
  explicit Int8(std::int64_t value) : EightBytes(std::bit_cast<std::uint64_t>(value)) {}
};

}  // namespace

// Over everything but the access time, which a touch raises alone, `due`, and
// the key, which is the session's and not the record's. Not a CRC but the
// beginning of a SHA-256, because the server can compute that too: `intact` in
// sql.cpp is the same list.
std::string checksum_of(const Record& r) {
  const Int8 inc(as_signed(r.version.incarnation)), n(as_signed(r.version.counter)),
      state(static_cast<std::int64_t>(r.state)), created(milliseconds(r.created)), idle(r.idle.count()),
      ends(milliseconds(r.ends)), subject_size(static_cast<std::int64_t>(r.subject.size())),
      handle_size(static_cast<std::int64_t>(r.handle.text().size()));
  const std::string_view parts[] = {inc,          n,           state,     created,         idle,     ends,
                                    subject_size, handle_size, r.subject, r.handle.text(), r.payload};
  return std::string(as_text(sha256(parts)).substr(0, 8));
}

std::int64_t as_signed(std::uint64_t v) { return std::bit_cast<std::int64_t>(v); }
std::uint64_t as_unsigned(std::int64_t v) { return std::bit_cast<std::uint64_t>(v); }

Row::Row(const SessionKey& key, const Record& r, const std::string& store)
    : key_(key), record_(r), checksum_(checksum_of(r)) {
  columns::require_writable(r, store);
  if (r.subject.size() + r.payload.size() > largest)
    throw StoreError(Trouble::refused, store + ": a record may have 256 MiB, and this one has more");
}

Parameters Row::parameters() const {
  const auto& r = record_;
  Parameters p;
  p.bytes(key_.bytes()).number(as_signed(r.version.incarnation)).number(as_signed(r.version.counter));
  p.number(static_cast<std::int64_t>(r.state)).number(milliseconds(r.created)).number(milliseconds(r.accessed));
  p.number(r.idle.count()).number(milliseconds(r.ends)).bytes(checksum_);
  p.bytes(r.subject).bytes(r.handle.text()).bytes(r.payload);
  return p;
}

Parameters Row::parameters_of_new() const {
  auto p = parameters();
  p.number(milliseconds(record_.expires()));
  return p;
}

std::optional<Record> record_of(const Result& result, int row, int column) {
  const auto number = [&](int i) { return result.number(row, column + i); };
  const auto natural = [&](int i) {
    const auto n = number(i);
    return n ? std::optional(as_unsigned(*n)) : std::nullopt;
  };
  const auto bytes = [&](int i) { return result.bytes(row, column + i); };
  auto record = columns::record_of({.incarnation = natural(1),
                                    .counter = natural(2),
                                    .state = natural(3),
                                    .created = number(4),
                                    .accessed = number(5),
                                    .idle = number(6),
                                    .ends = number(7),
                                    .subject = bytes(9),
                                    .handle = bytes(10),
                                    .payload = bytes(11)});
  if (record && bytes(8) != checksum_of(*record)) record.reset();
  return record;
}

std::optional<KeyedRecord> keyed_of(const Result& result, int row, int column) {
  const auto key = SessionKey::from_bytes(result.bytes(row, column).value_or(""));
  auto record = record_of(result, row, column);
  if (!key || !record) return std::nullopt;
  return KeyedRecord{*key, *std::move(record)};
}

}  // namespace sancho::postgresql
