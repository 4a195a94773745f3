// A place of its own in the server, and records to put there.
#pragma once

#include "../support/skip.hpp"
#include "database.hpp"
#include "sancho/stores/postgresql.hpp"

namespace sancho::postgresql_test {

inline Record record_of_now(std::string payload = "payload", std::uint64_t counter = 1) {
  const auto now = system_clock().now();
  return {.version = {7, counter},
          .state = State::live,
          .created = now,
          .accessed = now,
          .idle = 30min,
          .ends = now + 12h,
          .subject = {},
          .handle = Handle::draw(system_random()),
          .payload = std::move(payload)};
}

class PostgresqlTest : public testing::Test {
 protected:
  void SetUp() override {
    if (server().empty()) SANCHO_SKIP("SANCHO_TEST_POSTGRESQL names no server");
    place = std::make_unique<Place>(server());
  }

  std::unique_ptr<SessionStore> open(const PostgresqlOptions& options = {}) {
    return open_under_test(place->uri(), options);
  }

  static void put(SessionStore& store, const SessionKey& key, const Record& record) {
    ASSERT_TRUE(std::holds_alternative<Done>(store.create(key, record, soon())));
  }
  static std::string hex_of(const SessionKey& key) { return "'\\x" + key.hex() + "'::bytea"; }

  std::unique_ptr<Place> place;
};

}  // namespace sancho::postgresql_test
