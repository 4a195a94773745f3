// Rows as records. What comes back is checked column by column, so that damage
// is *corrupt* and never a wrong session. There is no checksum of ours: InnoDB
// has one for each page, and the core one for each payload.
#pragma once

#include <optional>
#include <string>

#include "sancho/store.hpp"
#include "stores/mysql/connection.hpp"

namespace sancho::mysql {

// Refuses (`StoreError`) a record whose times no calendar holds: arithmetic on
// them could not be trusted.
void require_writable(const Record& record, const std::string& store);

// The record in this row, whose first column is this one; nothing if it is damaged.
std::optional<Record> record_of(const Answer& row, unsigned first);
// The same; throws `StoreError` of kind *corrupt*.
Record intact_record_of(const Answer& row, unsigned first, const std::string& store);

// The store's time in the first column of this row.
Time time_of(const Answer& row);

}  // namespace sancho::mysql
