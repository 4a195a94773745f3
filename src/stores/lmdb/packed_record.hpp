// # A record, each field in its place
//
// What stands behind an entry's head in a database of one tree (tables.hpp):
//
//     bytes    what
//     0        format, 1
//     1-4      CRC-32C of the key and of what follows
//     5        state
//     6-13     version: incarnation
//     14-21    version: counter
//     22-29    created, in milliseconds since 1970
//     30-37    idle
//     38-45    ends
//     46-61    handle, or zeros
//     62-65    how long the subject is
//     66-      subject, payload
//
// Numbers have their highest byte first. The access time is the head's.
#pragma once

#include <string>
#include <string_view>

#include "sancho/record.hpp"

namespace sancho::lmdb {

// Of a record that is writable (`require_writable`, entry.hpp), behind what stands in `out`.
void append_packed(std::string& out, const SessionKey& key, const Record& record);

// All but the access time, into the strings that are there. Throws `StoreError`, as
// `decode_record` does; `into` holds whatever it likes then.
void unpack(const SessionKey& key, std::string_view bytes, Record& into);

}  // namespace sancho::lmdb
