// # What an error reply means
//
// Redis says what is wrong in the first word. Some of it is about the place (the
// key is elsewhere, the node is no master), some about the moment, and the rest
// is trouble for the caller. In each of these cases nothing was done.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sancho/error.hpp"
#include "stores/redis/slot.hpp"
#include "stores/redis/topology.hpp"

namespace sancho::redis {

enum class Meaning {
  moved,    // the slot is another node's, from now on
  ask,      // this key is at another node, just now
  script,   // the server does not know the script: send its text
  wait,     // not at the moment: once more in a while
  relearn,  // this is not where it should have been sent: find out who is in charge
  trouble,  // for the caller
};

struct Judgement {
  Meaning meaning = Meaning::trouble;
  Endpoint where = {};                  // moved, ask; the host may be empty: the same
  Slot slot = 0;                        // moved
  Trouble kind = Trouble::unavailable;  // trouble, or what it comes to at the deadline
  std::string text = {};                // for a message: nothing in it is a key or secret
};

Judgement judge(std::string_view error);

}  // namespace sancho::redis
