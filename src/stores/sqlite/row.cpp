#include "stores/sqlite/row.hpp"

#include <limits>

#include "big_endian.hpp"

namespace sancho::sqlite {

void fail_as_damaged(const std::string& store) { throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is"); }

namespace {
constexpr int accessed_column = 0, record_column = 1, subject_column = 2, bucket_column = 3;

std::optional<RecordView> checked(std::optional<std::int64_t> accessed, std::optional<std::string_view> record,
                                  std::optional<std::string_view> subject) {
  if (!accessed || !record || !subject) return std::nullopt;
  return unpacked(*record, *subject, Time{Duration{*accessed}});
}

RecordView intact(const std::optional<RecordView>& view, const std::string& store) {
  if (!view) fail_as_damaged(store);
  return *view;
}

}  // namespace

// ## Reading

std::int64_t bucket_of(const Query& row) { return row.integer(bucket_column).value_or(0); }
std::string_view raw_key_of(const Query& row) { return packed_key(row.blob(record_column).value_or(std::string_view{})); }

std::optional<RecordView> view_of(const Query& row) {
  return checked(row.integer(accessed_column), row.blob(record_column), row.blob(subject_column));
}

std::optional<Record> record_of(const Query& row) {
  const auto view = view_of(row);
  if (!view) return std::nullopt;
  return view->copy();
}

RecordView intact_view_of(const Query& row, const std::string& store) { return intact(view_of(row), store); }

// Two bits are left out, so that there are buckets behind the last one.
std::int64_t home_of(const SessionKey& key) { return static_cast<std::int64_t>(get_big_endian<std::uint64_t>(key.bytes().data()) >> 2); }

// ## Changing

// What is passed, and in which order, stands in `SANCHO_STANDS`.
bool RowJudge::stands(std::span<sqlite3_value*> values) {
  const auto record = blob_of(values[1]);
  met_another_ = packed_key(record.value_or(std::string_view{})) != key_.bytes();
  return !met_another_ && gives_way(intact(checked(integer_of(values[0]), record, blob_of(values[2])), store_));
}

// It may be there because its home, or what is behind it, was taken.
bool is_in_place(const Query& row) {
  const auto view = view_of(row);
  const auto key = view ? SessionKey::from_bytes(view->key) : std::nullopt;
  return key && home_of(*key) <= bucket_of(row) && home_of(*key) + most_behind >= bucket_of(row);
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
  return std::string(raw_key_of(row));
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
