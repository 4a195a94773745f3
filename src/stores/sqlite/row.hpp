// # Rows, and where they are
//
// A key's row is found by a number: SQLite descends a tree by numbers faster than by
// bytes, and one without the rows in its inner pages is not as deep. The number is the
// key's first 62 bits, its *home* bucket. Should another key have the same, the row is
// in the first bucket behind that was free (linear probing). Between a row and its home
// no bucket is empty: whoever removes a row closes the gap. So nothing at home means
// that there is nothing, and the key in a row's record is what says whose it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "sancho/id.hpp"
#include "stores/sqlite/connection.hpp"
#include "stores/sqlite/packed_record.hpp"

namespace sancho::sqlite {

inline std::int64_t milliseconds(Time t) { return t.time_since_epoch().count(); }

// ## Reading

// A row of a query over `SANCHO_ROW` (sql.hpp), until the query's next step.
class Row {
 public:
  explicit Row(const Query& query);

  std::int64_t bucket() const;
  // Its key as it stands there, be it one or not.
  std::string_view raw_key() const { return packed_key(record_); }
  // Nothing if it is damaged.
  std::optional<RecordView> view() const;
  std::optional<Record> record() const;
  // Throws `StoreError` of kind *corrupt* if it is damaged.
  RecordView intact_view(const std::string& store) const;

 private:
  const Query& query_;
  std::optional<std::int64_t> accessed_;
  std::string_view record_;  // empty if it is none
};

[[noreturn]] void fail_as_damaged(const std::string& store);

// ## Finding

std::int64_t home_of(const SessionKey& key);
// As far as a search goes behind it.
inline constexpr std::int64_t most_behind = 1023;
// Is it somebody's, and where it may be?
bool is_in_place(const Row& row);

// What `use(row)` makes of a key's row, or nothing if there is none. Throws
// `StoreError` of kind *corrupt* if what is at its home is nobody's row.
template <class Use>
auto with_row(Connection& c, const SessionKey& key, const std::string& store, const char* doing, Use use)
    -> std::optional<decltype(use(std::declval<const Row&>()))>;

// ## Changing

// Decides on a key's row within the statement that changes it. Throws as
// `intact_view` does, also where the subject is not in its column.
class RowJudge : public Judge {
 public:
  RowJudge(const SessionKey& key, const std::string& store) : key_(key), store_(store) {}
  const SessionKey& key() const { return key_; }
  const std::string& store() const { return store_; }
  // Was there a row that is not this key's?
  bool met_another() const { return met_another_; }

 protected:
  ~RowJudge() = default;

 private:
  bool stands(std::span<sqlite3_value*> values) final;
  // Is it to be changed?
  virtual bool gives_way(const RecordView& current) = 0;

  const SessionKey& key_;
  const std::string& store_;
  bool met_another_ = false;
};

// Runs `sql`, one that asks a judge, on the key's row if there is one; `bind(query)`
// binds what comes behind the bucket. Returns the bucket.
template <class Bind>
std::int64_t change_row(Connection& c, Sql sql, const char* doing, RowJudge& judge, Bind bind);

// Adds a row. False, and nothing is done, if the key's home is taken, be it by itself.
bool insert_row(Connection& c, const SessionKey& key, const Record& record, const char* doing);
// Puts a record into this bucket, whatever is there.
void replace_row(Connection& c, std::int64_t bucket, const SessionKey& key, const Record& record, const char* doing);
// Adds one without a record, which is damaged to whoever meets it.
void insert_damaged_row(Connection& c, const SessionKey& key, std::string_view subject, const char* doing);
// The first one that a key without a row can have.
std::int64_t free_bucket(Connection& c, const SessionKey& key, const char* doing);
// Moves rows that stood behind it, if they did because it was there. Of several, the
// one with the highest bucket goes first.
void remove_row(Connection& c, std::int64_t bucket, const char* doing);

// ## How

template <class Use>
auto with_row(Connection& c, const SessionKey& key, const std::string& store, const char* doing, Use use)
    -> std::optional<decltype(use(std::declval<const Row&>()))> {
  Query home(c, Sql::load, doing);
  if (!home.bind(home_of(key)).step()) return std::nullopt;
  const Row at_home(home);
  if (at_home.raw_key() == key.bytes()) return use(at_home);
  const bool anothers = is_in_place(at_home);
  Query behind(c, Sql::find, doing);
  if (behind.bind(home_of(key)).bind_blob(key.bytes()).step()) return use(Row(behind));
  if (!anothers) fail_as_damaged(store);
  return std::nullopt;
}

template <class Bind>
std::int64_t change_row(Connection& c, Sql sql, const char* doing, RowJudge& judge, Bind bind) {
  const auto change = [&](std::int64_t bucket) {
    Query query(c, sql, doing);
    query.bind(bucket);
    bind(query);
    query.step(judge);
    return bucket;
  };
  const auto home = change(home_of(judge.key()));
  if (!judge.met_another()) return home;
  const auto bucket = with_row(c, judge.key(), judge.store(), doing, [](const Row& row) { return row.bucket(); });
  return bucket ? change(*bucket) : home;
}

}  // namespace sancho::sqlite
