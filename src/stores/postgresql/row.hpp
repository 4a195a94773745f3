// Records as rows, and back. What comes back is checked column by column and
// against a checksum, so that damage is *corrupt* and never a wrong session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/store.hpp"
#include "stores/postgresql/pipeline.hpp"

namespace sancho::postgresql {

// What goes into the columns of one record; lives as long as the record and the
// key do.
class Row {
 public:
  // Throws `StoreError` (*refused*) for a record whose times no calendar holds,
  // or that is too large: `store` is its name, for the message.
  Row(const SessionKey& key, const Record& record, const std::string& store);

  // The parameters $1 to $12, in the order of the columns.
  Parameters parameters() const;
  // All of them, and `due`: when it expires.
  Parameters parameters_of_new() const;

 private:
  const SessionKey& key_;
  const Record& record_;
  std::string checksum_;
};

// The record whose columns begin at `column`, or nothing if it is damaged.
std::optional<Record> record_of(const Result& result, int row, int column);
// The same with its key.
std::optional<KeyedRecord> keyed_of(const Result& result, int row, int column);

// Over what a record's row holds, so that damage is seen.
std::string checksum_of(const Record& record);

std::int64_t as_signed(std::uint64_t v);
std::uint64_t as_unsigned(std::int64_t v);
inline std::int64_t milliseconds(Time t) { return t.time_since_epoch().count(); }

}  // namespace sancho::postgresql
