// # A record as one field
//
// All of it but the access time, which a touch raises alone. Reading one field costs a
// fraction of what reading ten costs. (The subject stands in a column too, where it is
// searched for.)
//
//     bytes    what
//     0-3      CRC-32C of the bytes behind it
//     4-35     key
//     36-43    version: incarnation
//     44-51    version: counter
//     52-55    how long the subject is
//     56       state, a digit
//     57-73    created, in milliseconds: a sign and sixteen digits
//     74-90    idle
//     91-107   ends
//     108-123  handle, or spaces
//     124-     subject, payload
//
// Numbers that nobody else looks at are binary, the highest byte first. The others
// are decimal, because SQL makes a number of digits and of nothing else: so what is
// in a row can be asked for without us (`sancho_readable`, sql.hpp).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/record.hpp"

namespace sancho::sqlite {

// Refuses (`StoreError`) a record whose times no calendar holds: they have not sixteen
// digits.
void require_writable(const Record& record, const std::string& store);

// Of a record that is writable.
std::string packed(const SessionKey& key, const Record& record);
// No record, and damaged to whoever has the key.
std::string packed_damage(const SessionKey& key);

// The key that stands there, whatever else does; empty if there is none.
std::string_view packed_key(std::string_view bytes);

// A record where it stands in its row, until the query's next step.
struct RecordView {
  Version version;
  State state;
  Time created, accessed;
  Duration idle;
  Time ends;
  Handle handle;
  std::string_view key, subject, payload;

  // As a record's.
  Time expires() const { return state == State::pending || state == State::live ? std::min(accessed + idle, ends) : ends; }
  bool expired(Time now) const { return now >= expires(); }
  void copy_to(Record& record) const;
  Record copy() const;
};

// Nothing if it is not what was packed.
std::optional<RecordView> unpacked(std::string_view bytes, Time accessed);

// The bytes of what schema 4 had packed, which had the subject in its column alone;
// nothing if it is damaged.
std::optional<std::string> packed_of_4(std::string_view bytes, std::string_view subject);

// A handle as it stands there.
std::string packed(const Handle& handle);

}  // namespace sancho::sqlite
