#include "stores/sqlite/row.hpp"

#include <limits>

#include "base/big_endian.hpp"

namespace sancho::sqlite {

void fail_as_damaged(const std::string& store) { throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is"); }

namespace {
constexpr int accessed_column = 0, record_column = 1, bucket_column = 2;

std::optional<RecordView> view_of(std::string_view record, std::optional<std::int64_t> accessed) {
  if (!accessed) return std::nullopt;
  return unpacked(record, Time{Duration{*accessed}});
}
}  // namespace

// ## Reading

Row::Row(const Query& query)
    : query_(query), accessed_(query.integer(accessed_column)), record_(query.blob(record_column).value_or(std::string_view{})) {}

std::int64_t Row::bucket() const { return query_.integer(bucket_column).value_or(0); }

std::optional<RecordView> Row::view() const { return view_of(record_, accessed_); }

std::optional<Record> Row::record() const {
  const auto found = view();
  if (!found) return std::nullopt;
  return found->copy();
}

RecordView Row::intact_view(const std::string& store) const {
  const auto found = view();
  if (!found) fail_as_damaged(store);
  return *found;
}

// Two bits are left out, so that there are buckets behind the last one.
std::int64_t home_of(const SessionKey& key) { return static_cast<std::int64_t>(get_big_endian<std::uint64_t>(key.bytes().data()) >> 2); }

// ## Changing

// What is passed, and in which order, stands in `SANCHO_STANDS`.
bool RowJudge::stands(std::span<sqlite3_value*> values) {
  const auto record = blob_of(values[1]).value_or(std::string_view{});
  met_another_ = packed_key(record) != key_.bytes();
  if (met_another_) return false;
  const auto current = view_of(record, integer_of(values[0]));
  if (!current || blob_of(values[2]) != current->subject) fail_as_damaged(store_);
  return gives_way(*current);
}

// It may be there because its home, or what is behind it, was taken.
bool is_in_place(const Row& row) {
  const auto view = row.view();
  const auto key = view ? SessionKey::from_bytes(view->key) : std::nullopt;
  return key && home_of(*key) <= row.bucket() && home_of(*key) + most_behind >= row.bucket();
}

namespace {
void put(Connection& c, Sql sql, std::int64_t bucket, const SessionKey& key, const Record& record, const char* doing) {
  const auto bytes = packed(key, record);
  Query query(c, sql, doing);
  query.bind(bucket).bind(milliseconds(record.accessed)).bind_blob(bytes).bind_blob(record.subject);
  query.bind(milliseconds(record.expires())).step();
}

// The key that has this bucket, as it stands there.
std::optional<std::string> key_in(Connection& c, std::int64_t bucket, const char* doing) {
  Query row(c, Sql::load, doing);
  if (!row.bind(bucket).step()) return std::nullopt;
  return std::string(Row(row).raw_key());
}
}  // namespace

bool insert_row(Connection& c, const SessionKey& key, const Record& record, const char* doing) {
  put(c, Sql::insert, home_of(key), key, record, doing);
  return c.changes() == 1;
}

void replace_row(Connection& c, std::int64_t bucket, const SessionKey& key, const Record& record, const char* doing) {
  put(c, Sql::replace, bucket, key, record, doing);
}

void insert_damaged_row(Connection& c, const SessionKey& key, std::string_view subject, const char* doing) {
  constexpr auto never = std::numeric_limits<std::int64_t>::max();
  const auto bytes = packed_damage(key);
  Query query(c, Sql::insert, doing);
  query.bind(free_bucket(c, key, doing)).bind(0).bind_blob(bytes).bind_blob(subject).bind(never).step();
}

std::int64_t free_bucket(Connection& c, const SessionKey& key, const char* doing) {
  auto bucket = home_of(key);
  while (key_in(c, bucket, doing)) ++bucket;
  return bucket;
}

// A row may move to the gap if that is not in front of its home. One whose key is
// damaged stays.
void remove_row(Connection& c, std::int64_t bucket, const char* doing) {
  Query(c, Sql::erase, doing).bind(bucket).step();
  auto gap = bucket;
  for (auto next = gap + 1; const auto bytes = key_in(c, next, doing); ++next) {
    const auto key = SessionKey::from_bytes(*bytes);
    if (!key || home_of(*key) > gap) continue;
    Query(c, Sql::move, doing).bind(next).bind(gap).step();
    gap = next;
  }
}

}  // namespace sancho::sqlite
