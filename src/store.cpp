#include "sancho/store.hpp"

#include <algorithm>

namespace sancho {

std::size_t delete_old_sessions(SessionStore& store, Duration age, Time now, Deadline deadline,
                                const std::function<void(const Handle&)>& each) {
  std::size_t sessions = 0;
  for (bool more = true; more && !deadline.passed();) {
    // "At least `age` ago" includes the moment itself.
    const auto answer = store.sweep({.accessed_before = now - age + Duration{1}}, deadline);
    sessions += answer.sessions;
    if (each) std::for_each(answer.handles.begin(), answer.handles.end(), each);
    more = answer.more;
  }
  return sessions;
}

}  // namespace sancho
