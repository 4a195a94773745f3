// # A record as one string
//
// What stands under a session's key, byte by byte. Numbers are big endian, those
// of the times two's complement. The fields that the scripts need stand at fixed
// places, so that a script reads them without the rest, and a touch overwrites
// eight bytes.
//
//     at  bytes
//      0      8   check: the first bytes of SHA-1 over all from 16 on
//      8      8   accessed
//     16      4   "SNK", 1 (the format's version)
//     20     16   incarnation, counter
//     36      1   state
//     37      8   idle
//     45      8   ends
//     53      8   created
//     61     16   handle, or zeros
//     77      4   length of the subject
//     81          subject, payload
//
// The check leaves out the access time, because a touch raises it alone. It is
// there for damage, not against forgers; SHA-1 because a script has it, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sancho/record.hpp"

namespace sancho::redis {

inline constexpr std::size_t value_head = 81;

// Throws `StoreError` of kind *refused* for what the format cannot hold: a time
// beyond 2^53 milliseconds, a subject of 4 GiB.
std::string value_of(const Record& record);

// The way back. Throws `StoreError`: *corrupt*, or *unavailable* for a newer
// version's. `store` is named in the message.
Record record_of(std::string_view value, const std::string& store);
// The same, into a record that has room already; after an exception it holds whatever
// it likes.
void read_record(std::string_view value, const std::string& store, Record& into);

// The first fields alone, unchecked: for counting.
struct Head {
  State state;
  Time expires;
};
std::optional<Head> head_of(std::string_view value);

// Eight bytes: of a version's half, an epoch; of a time.
std::string bytes_of(std::uint64_t number);
std::string bytes_of(Time time);
std::uint64_t number_of(std::string_view bytes);

std::string bytes_of(const Version& version);

}  // namespace sancho::redis
