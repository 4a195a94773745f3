// # A record as one field
//
// All of it but the access time, which a touch raises alone, and the subject, which
// is searched for. Reading one field costs a fraction of what reading ten costs.
//
//     bytes    what
//     0-3      CRC-32C of the bytes behind it, and then of the subject
//     4-11     version: incarnation
//     12-19    version: counter
//     20-23    how long the subject is
//     24       state, a digit
//     25-41    created, in milliseconds: a sign and sixteen digits
//     42-58    idle
//     59-75    ends
//     76-91    handle, or spaces
//     92-      payload
//
// Numbers that nobody else looks at are binary, the highest byte first. The others
// are decimal, because SQL makes a number of digits and of nothing else: so what is
// in a row can be asked for without us (`sancho_readable`, sql.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sancho/record.hpp"

namespace sancho::sqlite {

// Refuses (`StoreError`) a record whose times no calendar holds: arithmetic on
// them could not be trusted, and they have not sixteen digits.
void require_writable(const Record& record, const std::string& store);

// Of a record that is writable.
std::string packed(const Record& record);

// A record where it stands in its row, until the query's next step.
struct RecordView {
  Record head;  // all but these two
  std::string_view subject, payload;

  void copy_to(Record& record) const;
  Record copy() const;
};

// Nothing if it is not what was packed, with this subject.
std::optional<RecordView> unpacked(std::string_view bytes, std::string_view subject, Time accessed);

// A handle as it stands there.
std::string packed(const Handle& handle);

}  // namespace sancho::sqlite
