// # Where a browser and a store can be when requests overlap
#pragma once

#include "request.hpp"

namespace sancho::proof {

struct Start {
  std::string_view name;
  No store = 0;
  IdNo jar = 0;             // the cookie that the browser holds
  std::vector<IdNo> held;   // the cookies that it has held, and may have sent
};

inline constexpr std::string_view starts[] = {
    "nothing",          // no cookie, no record
    "anonymous",        // X: slots a and n, one form token
    "user",             // the same, logged in
    "rotated",          // X moved to Y; the browser may not know yet
    "rotated, used",    // and now it does
    "half rotated",     // decided, not activated
    "undecided",        // a rotation that was cut off before its decision
    "logged out",       // X is a tombstone
    "only a",           // X: slot a and nothing else, so that it may become empty
    "emptied",          // X is a tombstone for having been empty
    "half logged in",   // a login to Z decided, not activated
    "only token",       // X: one form token and nothing else
    "ghost",            // X is a tombstone; a rotation of it was cut off before its decision
    "elsewhere",        // U1 has a session X in another browser; this one has none
};

// Puts a start into the universe.
Start start(Universe& universe, std::string_view name);

// A scenario by its words: a start, and what each of the requests does.
struct Scenario {
  std::string_view start;
  std::vector<Does> does;
  int faults = 0;
  std::string name() const;
};

// Every multiset of `size` operations.
std::vector<Scenario> all(std::string_view start, std::size_t size, int faults, const std::vector<Does>& of);
std::vector<Does> every_operation();

// May this request leave its session with nothing in it, from this start?
bool may_empty(std::string_view start, Does does);

}  // namespace sancho::proof
