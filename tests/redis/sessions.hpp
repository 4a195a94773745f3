// Records to put into a store.
#pragma once

#include <gtest/gtest.h>

#include "sancho/random.hpp"
#include "sancho/store.hpp"

namespace sancho::test {

inline Deadline in(Duration d) { return Deadline::after(d); }
inline Deadline in_time() { return in(std::chrono::seconds{30}); }

inline SessionKey key_for(SessionStore& store, std::string_view subject = {}) {
  std::optional<std::uint32_t> tag;
  if (!subject.empty()) tag = store.routing()->tag_of(subject);
  return SessionKey::of("test", SessionId::draw(system_random(), tag));
}

inline Record session_of(std::string subject = {}, std::string payload = "payload") {
  Record r;
  r.version = {system_random().draw_u64(), 1};
  r.created = r.accessed = system_clock().now();
  r.idle = std::chrono::minutes{30};
  r.ends = r.created + std::chrono::hours{12};
  r.subject = std::move(subject);
  r.handle = Handle::draw(system_random());
  r.payload = std::move(payload);
  return r;
}

inline Record next(Record r) {
  ++r.version.counter;
  return r;
}

template <class T, class Answer>
bool is(const Answer& answer) {
  return std::holds_alternative<T>(answer);
}

// What `act` throws; a failure if nothing.
template <class Act>
StoreError trouble(const Act& act) {
  try {
    act();
  } catch (const StoreError& e) {
    return e;
  }
  ADD_FAILURE() << "no trouble";
  return StoreError(Trouble::in_doubt, "none");
}

}  // namespace sancho::test
