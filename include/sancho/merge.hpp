// # When two requests change one slot
//
// Overlapping requests of a session never wait for each other and never lose
// each other's slots (promise P1). Where both changed the *same* slot, its
// merge policy says what becomes of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// Erasing a slot erases all of it, whatever others did to it meanwhile; only of
// a set, what was seen of it, and a custom function decides for itself.
enum class MergeKind {
  last_writer,  // the later commit's value; erased stays erased unless written after
  add,          // numbers: each side's difference counts
  max,          // numbers: the greater
  set_union,    // arrays as sets: each side's additions and removals count
  append,       // arrays: what each side appended, the newest `bound` kept
  custom,       // the application's own function
};

// Encoded values (see codec.hpp): where the two parted, theirs, and mine. An
// absent or erased one is empty; so is the answer, to erase. It is called only
// where both have changed it, perhaps several times, and must give the same
// answer each time.
using MergeFunction = std::function<std::string(std::string_view base, std::string_view theirs, std::string_view mine)>;

struct Merge {
  MergeKind kind = MergeKind::last_writer;
  std::size_t bound = 0;        // for append: 0 is no bound
  MergeFunction function = {};  // for custom

  static Merge last_writer() { return {}; }
  static Merge add() { return {.kind = MergeKind::add}; }
  static Merge max() { return {.kind = MergeKind::max}; }
  static Merge set_union() { return {.kind = MergeKind::set_union}; }
  static Merge append(std::size_t bound) { return {.kind = MergeKind::append, .bound = bound}; }
  static Merge custom(MergeFunction function) { return {.kind = MergeKind::custom, .function = std::move(function)}; }
};

}  // namespace sancho
