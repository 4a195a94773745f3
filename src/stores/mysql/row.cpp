#include "stores/mysql/row.hpp"

#include "stores/columns.hpp"

namespace sancho::mysql {

void require_writable(const Record& record, const std::string& store) { columns::require_writable(record, store); }

std::optional<Record> record_of(const Answer& row, unsigned first) {
  return columns::record_of({.incarnation = row.natural(first),
                             .counter = row.natural(first + 1),
                             .state = row.natural(first + 2),
                             .created = row.integer(first + 3),
                             .accessed = row.integer(first + 4),
                             .idle = row.integer(first + 5),
                             .ends = row.integer(first + 6),
                             .subject = row.text(first + 8),
                             .handle = row.text(first + 7),
                             .payload = row.text(first + 9)});
}

Record intact_record_of(const Answer& row, unsigned first, const std::string& store) {
  auto record = record_of(row, first);
  if (!record) throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is");
  return *std::move(record);
}

Time time_of(const Answer& row) { return Time{Duration{row.integer(0).value_or(0)}}; }

}  // namespace sancho::mysql
