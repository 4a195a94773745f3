// # How many sessions a user may have
#pragma once

#include <cstdint>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// What happens to a login when its user has as many sessions as allowed.
enum class AtCap : std::uint8_t {
  refuse,        // it is refused, and changes nothing
  evict_oldest,  // the session that was made first is ended
  evict_idlest,  // the session that was not used for the longest time is ended
};

// Exact: at no moment has a user more sessions, in whatever processes the
// logins are made. Needs a store with the power `Epochs`.
struct SessionCap {
  std::uint32_t most = 0;  // at least one
  AtCap at_cap = AtCap::evict_oldest;
};

}  // namespace sancho
