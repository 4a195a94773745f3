// Many nodes: slots that move, masters that die, and who notices.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "../support/skip.hpp"
#include "place.hpp"
#include "sessions.hpp"

namespace sancho::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RedisClusterTest : public testing::Test {
 protected:
  // By the names that the servers' control knows; they are others after a failover.
  static std::set<std::string> masters(ServerControl& servers) {
    std::set<std::string> names;
    for (const auto* slot : {"0", "8000", "16383"}) names.insert(servers.ask(std::string("owner cluster ") + slot));
    return names;
  }
  void SetUp() override {
    if (server_uri("CLUSTER").empty()) SANCHO_SKIP("there is no cluster: run it by tests/servers/with_server.py");
  }
};

TEST_F(RedisClusterTest, AgreesWithUsOnSlots) {
  RedisPlace place("CLUSTER");
  const auto node = place.client().masters(in_time()).at(0);
  const auto id = std::string(SessionKey::of("test", SessionId::draw(system_random())).bytes());
  for (std::size_t size = 0; size <= id.size(); ++size)
    for (const auto& key : {id.substr(0, size), "{" + id.substr(0, size) + "}x", "x{" + id.substr(0, size)})
      EXPECT_EQ(place.client().run_at(node, {"CLUSTER", "KEYSLOT", key}, in_time()).number, redis::slot_of(key));
}

// Writers count while the slot of their session goes to and fro.
TEST_F(RedisClusterTest, NoWriteIsLostWhileASlotMoves) {
  RedisPlace place("CLUSTER");
  const auto store = place.open();
  const auto key = key_for(*store, "ada");
  auto first = session_of("ada");
  store->create(key, first, in_time());
  const auto slot = std::to_string(redis::slot_of(place.names().record(key)));
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> done = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i)
    writers.emplace_back([&] {
      while (!over) {
        const auto record = store->load(key, in_time());
        ASSERT_TRUE(record);
        const auto answer = store->commit(key, record->version, next(*record), in_time());
        ASSERT_FALSE(is<Gone>(answer));
        done += is<Done>(answer);
        store->touch(key, record->version.incarnation, system_clock().now(), in_time());
      }
    });
  std::thread maker([&] {
    while (!over) {
      const auto other = key_for(*store, "ada");
      EXPECT_TRUE(is<Done>(store->create(other, session_of("ada"), in_time())));
      EXPECT_GE(store->subjects()->find_by_subject("ada", in_time()).size(), 2u);
      EXPECT_TRUE(is<Removed>(store->erase(other, std::nullopt, in_time())));
    }
  });
  ServerControl servers;
  const std::string home = servers.ask("owner cluster " + slot);
  for (int times = 0; times < 3; ++times)
    for (const auto& target : masters(servers))
      if (servers.ask("owner cluster " + slot) != target) servers.ask("move_slot cluster " + slot + " " + target);
  over = true;
  for (auto& writer : writers) writer.join();
  maker.join();
  const auto last = store->load(key, in_time());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->version.counter, first.version.counter + done);
  EXPECT_GT(done, 0u);
  if (servers.ask("owner cluster " + slot) != home) servers.ask("move_slot cluster " + slot + " " + home);
}

// Keys that went from a node not yet visited to one that was are seen all the same.
TEST_F(RedisClusterTest, AWalkMissesNothingThatMoves) {
  RedisPlace place("CLUSTER");
  const auto store = place.open();
  std::map<SessionKey, int> seen;
  for (int i = 0; i < 300; ++i) {
    const auto key = key_for(*store, "ada");
    store->create(key, session_of("ada"), in_time());
    seen[key] = 0;
  }
  const auto slot = std::to_string(redis::slot_of(place.names().record(seen.begin()->first)));
  for (int i = 0; i < 300; ++i) store->create(key_for(*store), session_of(), in_time());
  ServerControl servers;
  const std::string home = servers.ask("owner cluster " + slot);
  for (const auto& target : masters(servers)) {
    for (auto& [key, times] : seen) times = 0;
    bool moved = false;
    store->scan()->walk(
        [&](const KeyedRecord& each) {
          if (seen.contains(each.key))
            ++seen[each.key];
          else if (!std::exchange(moved, true) && servers.ask("owner cluster " + slot) != target)
            servers.ask("move_slot cluster " + slot + " " + target);
          return true;
        },
        in_time());
    for (const auto& [key, times] : seen) EXPECT_GE(times, 1);
  }
  if (servers.ask("owner cluster " + slot) != home) servers.ask("move_slot cluster " + slot + " " + home);
}

TEST_F(RedisClusterTest, AMoveThatNobodyFinishesMakesWalksUnavailableUntilItIsGivenUp) {
  RedisPlace place("CLUSTER");
  const auto store = place.open();
  const auto key = key_for(*store);
  store->create(key, session_of(), in_time());
  const auto slot = std::to_string(redis::slot_of(place.names().record(key)));
  ServerControl servers;
  const std::string home = servers.ask("owner cluster " + slot);
  auto others = masters(servers);
  others.erase(home);
  servers.ask("open_move cluster " + slot + " " + home + " " + *others.begin());
  const auto e = trouble([&] { store->scan()->count(in(milliseconds{500})); });
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_TRUE(store->load(key, in_time()));
  servers.ask("give_up_move cluster " + slot);
  EXPECT_EQ(store->scan()->count(in_time()), 1u);
}

TEST_F(RedisClusterTest, GoesOnWhenAMasterDies) {
  auto options = redis_options("CLUSTER");
  options.wait = 1, options.wait_timeout = seconds{5};
  RedisPlace place(options);
  const auto store = place.open();
  const auto key = key_for(*store, "ada");
  auto record = session_of("ada");
  ASSERT_TRUE(is<Done>(store->create(key, record, in_time())));
  ServerControl servers;
  servers.ask("wait_until_whole cluster");
  const auto master = servers.ask("owner cluster " + std::to_string(redis::slot_of(place.names().record(key))));
  servers.ask("kill " + master);
  // A write that begins now waits for the new master, or says that it was not done.
  EXPECT_EQ(store->load(key, in_time())->version, record.version) << "what a replica had before";
  auto alone = place.options();
  alone.wait = 0;  // the new master has nobody behind it
  EXPECT_TRUE(is<Done>(open_redis(alone)->commit(key, record.version, next(record), in_time())));
  options.wait = 1, options.wait_timeout = milliseconds{50}, options.name_space = place.options().name_space;
  const auto e =
      trouble([&] { open_redis(options)->commit(key, next(record).version, next(next(record)), in_time()); });
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_TRUE(e.maybe_done());
  servers.ask("start " + master);
  servers.ask("wait_until_whole cluster");
}

TEST_F(RedisClusterTest, AFrozenMasterHoldsNobodyUpBeyondTheDeadline) {
  auto options = redis_options("CLUSTER");
  options.wait = 1, options.wait_timeout = seconds{20};  // so that the replica has the record
  RedisPlace place(options);
  const auto store = place.open();
  const auto key = key_for(*store);
  const auto record = session_of();
  store->create(key, record, in_time());
  ServerControl servers;
  servers.ask("wait_until_whole cluster");
  const auto master = servers.ask("owner cluster " + std::to_string(redis::slot_of(place.names().record(key))));
  servers.ask("freeze " + master);
  const auto begin = std::chrono::steady_clock::now();
  const auto e = trouble([&] { store->commit(key, record.version, next(record), in(milliseconds{300})); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{1});
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_TRUE(e.maybe_done());
  const auto until = in_time();  // its replica takes over
  for (bool there = false; !there && !until.passed();) {
    try {
      there = store->load(key, in(seconds{2})).has_value();
    } catch (const StoreError& trouble) {
      EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    }
  }
  EXPECT_TRUE(store->load(key, in_time()));
  servers.ask("thaw " + master);
  servers.ask("wait_until_whole cluster");
}

// What the slot's owner said before it gave it up may still be on its way; who hears it
// then takes it for the owner's.
void give_slot(RedisPlace& place, const Endpoint& to, const std::string& slot) {
  for (const auto until = in_time();; std::this_thread::sleep_for(milliseconds{20})) {
    try {
      place.client().run_at(to, {"CLUSTER", "DELSLOTS", slot}, until);
    } catch (const StoreError&) {
      // It is nobody's, as it should be.
    }
    try {
      place.client().run_at(to, {"CLUSTER", "ADDSLOTS", slot}, until);
      return;
    } catch (const StoreError&) {
      if (until.passed()) throw;
    }
  }
}

TEST_F(RedisClusterTest, ASlotThatNobodyHasIsToldClearly) {
  RedisPlace place("CLUSTER");
  const auto store = place.open();
  const auto key = key_for(*store);
  const auto slot = std::to_string(redis::slot_of(place.names().record(key)));
  const auto nodes = place.client().masters(in_time());
  ServerControl servers;
  const auto owner = servers.ask("owner cluster " + slot);
  for (const auto& node : nodes) {
    place.client().run_at(node, {"CONFIG", "SET", "cluster-require-full-coverage", "no"}, in_time());
    place.client().run_at(node, {"CLUSTER", "DELSLOTS", slot}, in_time());
  }
  // Nodes are asked until the time is over; if that is while one is being asked, there is
  // no more to tell.
  const auto e = [&] {
    for (int tries = 20;; --tries) {
      auto said = trouble([&] { store->create(key, session_of(), in(milliseconds{500})); });
      if (tries == 0 || std::string_view(said.what()).find("no answer came in time") == std::string_view::npos) return said;
    }
  }();
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_FALSE(e.maybe_done());
  const std::string what = e.what();
  EXPECT_TRUE(what.find("CLUSTERDOWN") != what.npos || what.find("no master has") != what.npos) << what;
  for (const auto& node : nodes) {
    if (to_string(node) == to_string(nodes[0])) give_slot(place, node, slot);
    place.client().run_at(node, {"CONFIG", "SET", "cluster-require-full-coverage", "yes"}, in_time());
  }
  servers.ask("wait_until_whole cluster");
  EXPECT_TRUE(is<Done>(store->create(key, session_of(), in_time())));
}

// docs/stores/redis.md has the same words.
TEST_F(RedisClusterTest, TheRightsThatTheDocumentationListsAreEnough) {
  RedisPlace place("CLUSTER");
  const auto user = fresh_namespace();
  for (const auto& node : place.client().masters(in_time())) {
    redis::Command rights{
        "ACL", "SETUSER", user, "on", ">secret", "resetchannels", "~sancho:" + place.options().name_space + ":*"};
    for (const auto& right : rights_listed(true)) rights.push_back(right);
    place.client().run_at(node, rights, in_time());
  }
  auto options = place.options();
  options.user = user, options.password = "secret";
  const auto store = open_redis(options);
  const auto key = key_for(*store, "ada"), absent = key_for(*store);
  const Admission admission{.seen = store->epochs()->epochs("ada", in_time()), .cap = 1};
  EXPECT_TRUE(is<Done>(store->create(key, session_of("ada"), in_time(), &admission)));
  EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 1u);
  EXPECT_EQ(store->scan()->count(in_time()), 1u);
  store->epochs()->set_epoch("", 5, system_clock().now() + milliseconds{50}, in_time());
  ServerControl servers;
  const auto slot = std::to_string(redis::slot_of(place.names().record(absent)));
  const auto source = servers.ask("owner cluster " + slot);
  auto others = masters(servers);
  others.erase(source);
  const auto& target = *others.begin();
  servers.ask("open_move cluster " + slot + " " + source + " " + target);
  EXPECT_FALSE(store->load(absent, in_time())) << "asked for at the other node";
  servers.ask("give_up_move cluster " + slot);
  for (const auto& node : place.client().masters(in_time()))
    place.client().run_at(node, {"ACL", "DELUSER", user}, in_time());
}

TEST(RedisSentinelTest, GoesOnWithTheNewMaster) {
  if (server_uri("SENTINEL").empty()) SANCHO_SKIP("there are no sentinels: run it by tests/servers/with_server.py");
  auto options = redis_options("SENTINEL");
  options.wait = 1, options.wait_timeout = seconds{5};
  RedisPlace place(options);
  const auto store = place.open();
  const auto key = key_for(*store, "ada");
  auto record = session_of("ada");
  ASSERT_TRUE(is<Done>(store->create(key, record, in_time())));
  ServerControl servers;
  const auto master = servers.ask("master sentinel");
  servers.ask("kill " + master);
  EXPECT_EQ(store->load(key, in_time()), record);
  EXPECT_TRUE(is<Done>(store->commit(key, record.version, next(record), in_time())));
  EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 1u);
  servers.ask("start " + master);
}

TEST(RedisSentinelTest, AMasterThatNobodyKnowsIsUnavailable) {
  if (server_uri("SENTINEL").empty()) SANCHO_SKIP("there are no sentinels: run it by tests/servers/with_server.py");
  auto options = redis_options("SENTINEL");
  options.master_name = "nobody";
  options.open_timeout = milliseconds{300};
  const auto e = trouble([&] { open_redis(options); });
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_NE(std::string(e.what()).find("does not know the master 'nobody'"), std::string::npos) << e.what();
}

}  // namespace
}  // namespace sancho::test
