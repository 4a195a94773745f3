// A memory store that may wait, for all that others know: its calls go to threads.
#pragma once

#include "sancho/decorators/decorated.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

class WaitingStore final : public Decorated<WaitingStore> {
 public:
  explicit WaitingStore(const Clock& clock = system_clock()) : Decorated(open_memory_store(clock)) {}
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    return call(deadline);
  }
};

}  // namespace sancho::test
