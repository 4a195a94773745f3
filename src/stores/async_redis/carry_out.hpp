// # What carries calls out on an event loop
#pragma once

#include <boost/asio/awaitable.hpp>

#include "sancho/async/store.hpp"
#include "stores/async_redis/wires.hpp"
#include "stores/redis/verbs.hpp"

namespace sancho::redis {

// What calls under way hold.
struct Ground {
  Ground(boost::asio::any_io_executor executor, const RedisOptions& options, const AsyncRedisOptions& more)
      : dealings(options, name_of(options)),
        verbs(options, dealings),
        wires(std::move(executor), dealings.name(), options, more) {}
  ~Ground() { dealings.in_own_process() ? wires.close() : wires.forget(); }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  Dealings dealings;
  Verbs verbs;
  Wires wires;
};

// The lane stays as long as the ground.
struct Asked {
  Lane* lane = nullptr;
  std::shared_ptr<Ask> ask;    // null: nothing was asked, or it may not wait ...
  std::exception_ptr trouble;  // ... for this reason
};
Asked ask(Ground& ground, Exchange& what);
// A load's first question, before there is a conversation; nothing is asked where it
// is not known whom.
Asked ask_for(Ground& ground, const SessionKey& key, Deadline until);
// How it ended. Throws what Asio throws where the coroutine was cancelled.
void hand_in(Asked& asked, Floor& floor);

boost::asio::awaitable<void> pause(Pause length);

}  // namespace sancho::redis
