// Vectors that grow with their shard, and leave little unused.
#pragma once

#include <vector>

namespace sancho::memory {

// For `push_back`, with less to spare than a vector takes by itself. Throws with
// nothing changed.
template <class T>
void make_room_for_one(std::vector<T>& v) {
  if (v.size() == v.capacity()) v.reserve(v.size() + v.size() / 4 + 1);
}

}  // namespace sancho::memory
