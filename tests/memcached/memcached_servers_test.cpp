// Several servers, and servers that come and go.
#include <set>

#include "memcached_fixture.hpp"
#include "stores/memcached/ring.hpp"

namespace sancho::memcached_test {
namespace {

class MemcachedServers : public MemcachedTest {
 protected:
  // Two, and a key on each.
  Server servers[2];
  std::vector<MemcachedServer> list{{"127.0.0.1", servers[0].port()}, {"127.0.0.1", servers[1].port()}};
  memcached::Ring ring{list};
  std::unique_ptr<SessionStore> store = open_memcached_store(list, {}, clock);

  SessionKey key_on(std::size_t server) const {
    for (int i = 0;; ++i)
      if (const auto key = key_of("key " + std::to_string(i)); ring.server_of(item_of(key)) == server) return key;
  }
  bool is_on(std::size_t server, const SessionKey& key) const { return Raw(servers[server].port()).has(item_of(key)); }
};

TEST_F(MemcachedServers, ShareTheKeysAndEachKeyHasOne) {
  int on[2] = {0, 0};
  for (int i = 0; i < 200; ++i) {
    const auto key = key_of(std::to_string(i));
    put(*store, key, record(std::to_string(i)));
    EXPECT_NE(is_on(0, key), is_on(1, key));
    EXPECT_TRUE(is_on(ring.server_of(item_of(key)), key));
    ++on[ring.server_of(item_of(key))];
    EXPECT_EQ(store->load(key, soon())->payload, std::to_string(i));
  }
  EXPECT_GT(on[0], 40);
  EXPECT_GT(on[1], 40);
}

TEST_F(MemcachedServers, AreFoundWhateverTheirOrderInTheList) {
  const auto turned = open_memcached_store({list[1], list[0]}, {}, clock);
  for (int i = 0; i < 100; ++i) {
    const auto key = key_of(std::to_string(i));
    const auto r = put(*store, key, record());
    EXPECT_EQ(turned->load(key, soon()), r);
  }
}

TEST_F(MemcachedServers, AServerThatIsDownTakesItsKeysWithItAndNoOthers) {
  const auto here = key_on(0), there = key_on(1);
  put(*store, here, record());
  put(*store, there, record());
  servers[1].kill();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(store->load(here, soon()));
    EXPECT_EQ(trouble_of([&] { store->load(there, soon()); }).kind(), Trouble::unavailable);
    EXPECT_EQ(trouble_of([&] { store->create(there, record(), soon()); }).kind(), Trouble::unavailable);
    const auto trouble = trouble_of([&] { store->erase(there, std::nullopt, soon()); });
    EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    EXPECT_FALSE(trouble.maybe_done());
    EXPECT_NE(std::string(trouble.what()).find(std::to_string(servers[1].port())), std::string::npos) << trouble.what();
  }
  EXPECT_FALSE(is_on(0, there)) << "a key moved to another server";
}

TEST_F(MemcachedServers, AServerThatWasRestartedKnowsNobodyAndRevivesNobody) {
  const auto here = key_on(0), there = key_on(1);
  const auto r = put(*store, there, record());
  put(*store, here, record());
  servers[1].kill();
  auto ended = record("", 2);
  ended.state = State::ended;
  EXPECT_EQ(trouble_of([&] { store->commit(there, r.version, ended, soon()); }).kind(), Trouble::unavailable);
  servers[1].start();
  EXPECT_FALSE(store->load(there, soon()));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(there, r.version, record("late", 2), soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->touch(there, r.version.incarnation, clock.now() + 1s, soon())));
  EXPECT_FALSE(store->load(there, soon()));
  EXPECT_TRUE(store->load(here, soon()));
}

// Cut off and not restarted, it has what it had: nothing was decided about its
// keys meanwhile, because nobody else could.
TEST_F(MemcachedServers, AServerThatWasCutOffComesBackWithWhatWasLastTrue) {
  const auto there = key_on(1), ended_there = [&] {
    for (int i = 1000;; ++i)
      if (const auto key = key_of("key " + std::to_string(i)); ring.server_of(item_of(key)) == 1) return key;
  }();
  const auto r = put(*store, there, record());
  put(*store, ended_there, record());
  auto ended = record("", 2);
  ended.state = State::ended;
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(ended_there, r.version, ended, soon())));
  servers[1].freeze();
  const auto trouble = trouble_of([&] { store->commit(there, r.version, ended, Deadline::after(100ms)); });
  EXPECT_EQ(trouble.kind(), Trouble::unavailable);
  EXPECT_FALSE(trouble.maybe_done()) << "it was never sent";
  EXPECT_EQ(trouble_of([&] { store->create(ended_there, record(), Deadline::after(100ms)); }).kind(),
            Trouble::unavailable);
  servers[1].thaw();
  EXPECT_EQ(store->load(there, soon()), r);
  EXPECT_EQ(store->load(ended_there, soon()), ended);
  EXPECT_TRUE(std::holds_alternative<Conflict>(store->commit(ended_there, r.version, record("late", 2), soon())));
}

TEST_F(MemcachedServers, ARestartReachesNobodyWhoWasNotInTheMiddleOfACall) {
  const auto key = key_on(0);
  for (int round = 0; round < 5; ++round) {
    put(*store, key, record());
    std::vector<std::jthread> crowd;  // so that several connections are idle
    for (int t = 0; t < 4; ++t) crowd.emplace_back([&] { EXPECT_TRUE(store->load(key, soon())); });
    crowd.clear();
    servers[0].restart();
    EXPECT_FALSE(store->load(key, soon()));
  }
}

}  // namespace
}  // namespace sancho::memcached_test
