// # What the server decides
//
// Each conditional verb is one Lua script: read, decide, write, and nobody comes
// between. Every key it touches is given to it and is in one hash slot.
#pragma once

#include <string>

namespace sancho::redis {

struct Script {
  explicit Script(std::string lua);
  std::string text;
  std::string sha;  // what EVALSHA calls it by
};

struct Scripts {
  Scripts();
  Script load, create, commit, commit_ended, touch, erase, evict, prune, setup;
};

// The same for everybody, and never changes.
const Scripts& scripts();

}  // namespace sancho::redis
