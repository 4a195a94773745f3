// # What a store keeps
//
// A store sees bytes and keys. The few fields in the clear are those it needs
// to keep its contract (version, state, times) and to find a user's sessions
// (subject, handle). Everything else is the payload: sealed, checksummed,
// nobody's business but the protocol's. DESIGN.md has its format byte by byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/id.hpp"
#include "sancho/time.hpp"

namespace sancho SANCHO_EXPORT {

// Written by the core, only ever compared by a store. The incarnation is drawn
// at random when a record is created, so that a record which was erased and
// created again is never taken for the one before. The counter's upper half
// counts the commits; the lower is drawn at random with each, so that a version
// which a crash or a failover made a store forget never comes again with other
// contents: who has seen it could take the one for the other.
struct Version {
  std::uint64_t incarnation = 0;
  std::uint64_t counter = 0;

  // How many commits there were since the record was created.
  std::uint64_t commits() const { return counter >> 32; }
  // The version that the next commit writes.
  Version after(std::uint64_t random) const {
    return {incarnation, (commits() + 1) << 32 | (random & 0xffffffff)};
  }
  auto operator<=>(const Version&) const = default;
};

enum class State : std::uint8_t {
  pending = 0,  // a successor that nobody has decided on yet: opens nothing
  live = 1,     // a session
  moved = 2,    // rotated away: names its successor
  ended = 3,    // a tombstone, kept for a grace so that late saves find it
  note = 4,     // no session: a small fact kept with the same guarantees
};

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(State state);

// Is it a session, or may it lead to one? Tombstones and notes never do.
constexpr bool may_open(State state) { return state == State::pending || state == State::live || state == State::moved; }

struct Record {
  Version version;
  State state = State::live;
  Time created{};   // of the session; survives rotation
  Time accessed{};  // raised by touch and commit, never lowered
  Duration idle{};  // for pending and live records: how long without access
  Time ends{};      // after this it is gone, whatever its state
  std::string subject = {};  // identifies the user; empty for nobody
  Handle handle = {};
  std::string payload = {};

  // The moment at which the record is gone, swept or not:
  // min(accessed + idle, ends) for a pending or live one, `ends` for others.
  Time expires() const { return expires_if_accessed(accessed); }
  // The same, had it been accessed at another time.
  Time expires_if_accessed(Time then) const {
    const bool idles = state == State::pending || state == State::live;
    return idles ? std::min(then + idle, ends) : ends;
  }
  bool expired(Time now) const { return now >= expires(); }

  bool operator==(const Record&) const = default;
};

// One record as one string of bytes, for stores that keep no columns: the
// format of DESIGN.md, with a checksum over all of it.
std::string encode_record(const Record& record);
// The same, behind what stands in `out`.
void append_record(std::string& out, const Record& record);

// The way back. Throws `StoreError`: *corrupt* if these are not the bytes that
// were written (truncated, flipped, extended, foreign), *unavailable* if a
// newer version of this library wrote them.
Record decode_record(std::string_view bytes);
// The same, into the strings that a record has already. After an exception it holds
// whatever it likes.
void decode_record(std::string_view bytes, Record& into);

}  // namespace sancho
