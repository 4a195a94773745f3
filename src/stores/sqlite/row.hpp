// Records as rows, and back. What comes back is checked column by column and
// against a checksum, so that damage is *corrupt* and never a wrong session.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sancho/record.hpp"
#include "stores/sqlite/connection.hpp"

namespace sancho::sqlite {

// Refuses (`StoreError`) a record whose times no calendar holds: arithmetic on
// them could not be trusted.
void require_writable(const Record& record, const std::string& store);

// A record where it stands in its row, until the query's next step.
struct RowView {
  Record head;  // all but these two
  std::string_view subject, payload;

  void copy_to(Record& record) const;
  Record copy() const;
};

// The row of a query over the record columns (`sql.hpp`), or nothing if it is
// damaged.
std::optional<RowView> view_of(const Query& row);
std::optional<Record> record_of(const Query& row);
// The same; throws `StoreError` of kind *corrupt*. Also of the columns that a judge
// is asked about, which are all but the key.
RowView intact_view_of(const Query& row, const std::string& store);
RowView intact_view_of(std::span<sqlite3_value*> values, const std::string& store);
// Its key as it stands there, be it one or not.
std::string raw_key_of(const Query& row);

// Binds all parameters of `insert` and `replace`.
void bind_new(Query& query, const SessionKey& key, const Record& record);
// Binds all parameters of `commit_here`, and all but the last of `commit_sooner`;
// with this access time instead of the record's.
void bind_commit(Query& query, const SessionKey& key, const Record& record, Time accessed);

inline std::int64_t milliseconds(Time t) { return t.time_since_epoch().count(); }

}  // namespace sancho::sqlite
