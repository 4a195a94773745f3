// Calls of the asynchronous store on Redis, for tests of the connections it shares.
#pragma once

#include <memory>
#include <string>

#include "../async/loop.hpp"
#include "fake_redis.hpp"
#include "sancho/async/redis.hpp"
#include "sessions.hpp"

namespace sancho::test {

using Store = std::shared_ptr<AsyncSessionStore>;

inline SessionKey some_key() { return SessionKey::of("test", SessionId::draw(system_random())); }

inline Store open(asio::io_context& loop, const RedisOptions& options, AsyncRedisOptions more = {}) {
  Store store;
  run(loop, [](Store& out, RedisOptions o, AsyncRedisOptions m) -> awaitable<void> {
    out = co_await open_async_redis_store(std::move(o), m);
  }(store, options, more));
  return store;
}

// Goes on as long as that is possible without waiting for anything.
inline void go_on(asio::io_context& loop) {
  loop.restart();
  while (loop.poll() > 0) {
  }
}

// How calls ended.
struct Ended {
  std::string how;
  bool maybe_done = false;
};

inline awaitable<void> load(Store store, Deadline until, Ended& ended) {
  const auto key = some_key();
  try {
    (void)co_await store->load(key, until);
    ended.how = "done";
  } catch (const StoreError& e) {
    ended = {std::string(to_string(e.kind())) + ": " + e.what(), e.maybe_done()};
  }
}

inline awaitable<void> commit(Store store, Deadline until, Ended& ended) {
  const auto key = some_key();
  const auto record = session_of();
  try {
    (void)co_await store->commit(key, record.version, next(record), until);
    ended.how = "done";
  } catch (const StoreError& e) {
    ended = {std::string(to_string(e.kind())) + ": " + e.what(), e.maybe_done()};
  }
}

inline bool is_unavailable(const Ended& ended) { return ended.how.starts_with("unavailable: "); }

inline awaitable<void> load_often(Store store, int times, int& done) {
  for (int i = 0; i < times; ++i) {
    const auto key = some_key();
    (void)co_await store->load(key, in_time());
    ++done;
  }
}

}  // namespace sancho::test
