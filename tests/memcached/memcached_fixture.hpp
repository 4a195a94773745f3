// Servers, a clock that is moved by hand, and records to put in.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "memcached_server.hpp"
#include "sancho/stores/memcached.hpp"
#include "support/skip.hpp"

namespace sancho::memcached_test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(20s); }
inline SessionKey key_of(const std::string& name) { return SessionKey::of_note("memcached test", name); }
inline std::string item_of(const SessionKey& key, const std::string& name_space = "") {
  return "sancho:" + name_space + ":" + key.hex();
}

// What `act` throws; a failure of the test if it throws nothing.
inline StoreError trouble_of(const auto& act) {
  try {
    act();
  } catch (const StoreError& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Trouble::in_doubt, "nothing was thrown"};
}

inline Record record_at(Time now, std::string payload = "payload", std::uint64_t counter = 1) {
  return {.version = {7, counter},
          .state = State::live,
          .created = now,
          .accessed = now,
          .idle = 30min,
          .ends = now + 12h,
          .subject = {},
          .handle = {},
          .payload = std::move(payload)};
}

class MemcachedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!memcached_is_installed()) SANCHO_SKIP("memcached is not installed");
  }
  Record record(std::string payload = "payload", std::uint64_t counter = 1) const {
    return record_at(clock.now(), std::move(payload), counter);
  }
  std::unique_ptr<SessionStore> open(std::uint16_t port, const MemcachedOptions& options = {}) {
    return open_memcached_store({{"127.0.0.1", port}}, options, clock);
  }
  std::unique_ptr<SessionStore> open(const Server& server, const MemcachedOptions& options = {}) {
    return open(server.port(), options);
  }
  // Puts a record there and expects it to work.
  Record put(SessionStore& store, const SessionKey& key, Record r) {
    EXPECT_TRUE(std::holds_alternative<Done>(store.create(key, r, soon())));
    return r;
  }

  ManualClock clock;
};

}  // namespace sancho::memcached_test
