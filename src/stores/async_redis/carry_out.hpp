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

struct Asked {
  std::shared_ptr<Lane> lane;
  std::shared_ptr<Ask> ask;  // null: it may not wait, and the floor knows why
};
Asked ask(Ground& ground, Exchange& what, Floor& floor);
// How it ended. Throws what Asio throws where the coroutine was cancelled.
void hand_in(Ask& ask, Floor& floor);

boost::asio::awaitable<void> pause(Pause length);

}  // namespace sancho::redis
