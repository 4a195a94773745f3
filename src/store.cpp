#include "sancho/store.hpp"

namespace sancho {

std::size_t delete_old_sessions(SessionStore& store, Duration age, Time now, Deadline deadline) {
  std::size_t sessions = 0;
  for (bool more = true; more && !deadline.passed();) {
    // "At least `age` ago" includes the moment itself.
    const auto answer = store.sweep({.accessed_before = now - age + Duration{1}}, deadline);
    sessions += answer.sessions;
    more = answer.more;
  }
  return sessions;
}

}  // namespace sancho
