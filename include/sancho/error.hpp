// # Trouble
//
// Absence is a value; trouble is an exception. There is one class for all
// trouble with a store, and it has properties instead of descendants, because
// what a caller does next depends on these three questions only.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

enum class Trouble {
  unavailable,  // the store did not answer, or cannot be understood yet: try later
  corrupt,      // the record's bytes are not what was written; the record stays
  full,         // no room: nothing was written, the old state is intact
  refused,      // the store will not do this: read-only, wrong settings, wrong use
  contention,   // others kept changing the record until the deadline
  in_doubt,     // the answer was lost for good: it may have happened, or not
};

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(Trouble kind);

// What stores and managers throw.
//
// `what()` names the store (never a password, an id or a key), says what
// happened, and what to do about it where that is known.
class StoreError : public std::runtime_error {
 public:
  StoreError(Trouble kind, const std::string& what, bool maybe_done = false)
      : std::runtime_error(what), kind_(kind), maybe_done_(maybe_done) {}

  Trouble kind() const { return kind_; }

  // May the operation that failed have been done all the same? A store that
  // cannot tell says true. The protocol then sends the very same operation
  // again, which can happen at most once, instead of merging it anew.
  bool maybe_done() const { return maybe_done_; }

 private:
  Trouble kind_;
  bool maybe_done_;
};

// A policy, URI or option that cannot work. Thrown at start-up, never during a
// request; `what()` says which value and what to change.
class ConfigError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// The program broke a rule of this library: a session used after its request,
// or from two threads, a request finished twice. `what()` names the rule. (A
// request that is never finished cannot throw from where it goes away: it is
// the event `unfinished`.) Where the library was built with checks, some of
// these abort instead: misuse.hpp.
class UsageError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace sancho
