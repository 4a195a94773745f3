// The bytes of the tables' keys and values. docs/stores/lmdb.md has them one by one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/crypto.hpp"
#include "sancho/record.hpp"
#include "stores/lmdb/tables.hpp"

namespace sancho::lmdb {

// ## A session
//
// What a touch changes stands in front, so that it need not take the record
// apart: the access time and the moment in the sweep's queue, with a checksum
// over both and the key. Behind it the record, with a checksum of its own: packed
// (packed_record.hpp), or as `encode_record` has it where there are many trees.
struct Entry {
  Time due;
  Record record;
};
// `accessed` is what counts; the record's own is what it was made with.
std::string encode_entry(Layout layout, const SessionKey& key, const Record& record, Time accessed, Time due);
// Throws `StoreError` as `decode_record` does.
Entry decode_entry(Layout layout, const SessionKey& key, std::string_view value, const std::string& store);
// The same, into a record that is there; gives the moment it is due.
Time decode_entry(Layout layout, const SessionKey& key, std::string_view value, const std::string& store, Record& into);

// The head alone, if it is intact: of a value whose record may not be. And the
// value with another head.
struct Head {
  Time accessed, due;
};
std::optional<Head> head_of(std::string_view key, std::string_view value);
std::string with_head(std::string_view key, std::string_view value, const Head& head);

// Refuses (`StoreError`) a record whose times no calendar holds, and a payload
// that LMDB would not take.
void require_writable(const Record& record, const std::string& store);

// ## The other tables

// A key of the sweep's queue: the moment, in the order of time, then the key of
// the session or epoch.
std::string due_key(Time due, std::string_view key);
// The earliest there is, where this is no such key.
Time time_of_due_key(std::string_view key);
constexpr std::size_t due_time_size = 8;
// What a queue's entry stands for is its value.
constexpr std::string_view due_session = "";
constexpr std::string_view due_epoch = "e";

// Subjects have any length, and keys of LMDB have not. The empty subject has a
// digest too: everyone's.
std::string subject_digest(std::string_view subject);

struct Epoch {
  std::uint64_t number = 0;
  Time until{};
};
std::string encode_epoch(std::string_view digest, const Epoch& epoch);
// Nothing if it is damaged.
std::optional<Epoch> decode_epoch(std::string_view digest, std::string_view value);

}  // namespace sancho::lmdb
