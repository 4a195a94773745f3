// What PostgreSQL's error codes (SQLSTATE) mean to whoever called the store.
#pragma once

#include <string_view>

#include "sancho/error.hpp"

namespace sancho::postgresql {

// Whether it may help to do the same once more, if it was not done.
enum class Next {
  give_up,
  again,      // at once: others were in the way
  elsewhere,  // on another connection: this one is of no more use
};

struct Meaning {
  Trouble kind = Trouble::unavailable;
  Next next = Next::give_up;
  std::string_view advice = {};  // what to do about it, as the end of a message
};

// Of five characters, or of none where the connection was lost.
Meaning meaning_of(std::string_view sqlstate);

}  // namespace sancho::postgresql
