// # Misuse
//
// What a program must not do with a session, and how it hears of it. A library
// that was built with checks catches the four rules below at the moment they
// are broken, says which on standard error, and aborts:
//
//     sancho: rule broken: a session is used after its request has finished
//
// There are checks in a library that was compiled without `NDEBUG` (CMake's
// build type `Debug`), or as CMake's option `SANCHO_CHECKS=ON` or `OFF` says.
// It is the library's own build that counts. The program's makes no difference:
// headers and layouts are the same, so that either may be exchanged.
//
// Without checks a broken rule is what it is: writes that come too late are
// lost, and two threads at once are a data race. What can be told at no cost is
// told in every build, as `UsageError` (error.hpp) or as the event `unfinished`
// (event.hpp).
#pragma once

#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

enum class Rule {
  // A session, its slots and claims are used until its request has finished.
  used_in_time,
  // ... where requests block, on the thread that began the request.
  on_its_thread,
  // ... where coroutines serve them, on whatever thread, but by one at a time,
  // and not while an operation of the scope waits for the store.
  one_at_a_time,
  // A scope ends by `finish` or `abort`, or because something was thrown, or,
  // with coroutines, because the coroutine was torn down.
  finished,
};

struct Misuse {
  Rule rule;
  std::string_view message;  // `rule broken: ...`; lives for the whole program
};

// Called on the thread that broke the rule, perhaps on several at once, and from
// destructors. If it returns, the function that broke the rule throws
// `UsageError` with the message, having changed nothing; or, where a scope went
// away, goes on.
using MisuseHandler = void (*)(const Misuse&) noexcept;

// For all of the process, and from any thread; gives the handler before. Null is
// the one that prints and aborts, which is there at the beginning.
MisuseHandler set_misuse_handler(MisuseHandler handler) noexcept;

// Was this library built with checks?
bool misuse_is_checked() noexcept;

}  // namespace sancho
