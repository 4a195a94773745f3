// Runs a protocol machine against a store and blocks until it is done.
#pragma once

#include "protocol/machine.hpp"

namespace sancho {

// One operation. A writing one whose answer was lost (`maybe_done`) is `Lost`
// as long as there is time to send it again; other trouble is thrown on.
protocol::Answer perform(SessionStore& store, const protocol::Op& op, Deadline deadline);

// Throws what the store throws; *contention* when others kept getting in first
// until the deadline; *in_doubt* when the answer to a write stayed lost.
template <class Machine>
void run(Machine& machine, protocol::Env& env, SessionStore& store, Deadline deadline) {
  protocol::Answer answer;
  while (const auto* op = machine.resume(env, answer)) {
    const bool conflict = std::holds_alternative<Conflict>(answer);
    if (conflict && deadline.passed())
      throw StoreError(Trouble::contention, store.name() + ": other requests kept changing the session until the deadline");
    answer = perform(store, *op, deadline);
  }
}

}  // namespace sancho
