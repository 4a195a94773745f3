// A Galera cluster of three: what one node has acknowledged the others show, an
// epoch shuts out logins on every node, and the loss of a node loses nothing.
#include <algorithm>
#include <set>
#include <thread>

#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "mysql_fixture.hpp"

namespace sancho::mysql_test {
namespace {

class MysqlGalera : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = options_from("SANCHO_TEST_GALERA");
    if (!found) SANCHO_SKIP("SANCHO_TEST_GALERA is not set");
    place.emplace(*found);
  }
  std::unique_ptr<SessionStore> on(std::size_t node) { return place->open(with_host_first(place->options(), node)); }
  std::optional<Namespace> place;
};

TEST_F(MysqlGalera, TheTraitsAreThoseOfACluster) {
  const auto traits = on(0)->traits();
  EXPECT_TRUE(traits.linearizable);
  EXPECT_TRUE(traits.survives_failover);
  EXPECT_TRUE(traits.durable);
}

TEST_F(MysqlGalera, WhatOneNodeHasAcknowledgedEveryOtherShowsAtOnce) {
  const std::unique_ptr<SessionStore> stores[] = {on(0), on(1), on(2)};
  auto record = record_of();
  stores[0]->create(key_of("a"), record, soon());
  for (int i = 0; i < test::rounds() / 2; ++i) {
    auto next = record;
    ++next.version.counter;
    next.accessed += 1ms;
    const auto& writer = stores[static_cast<std::size_t>(i) % 3];
    const auto& reader = stores[static_cast<std::size_t>(i + 1) % 3];
    ASSERT_TRUE(std::holds_alternative<Done>(writer->commit(key_of("a"), record.version, next, soon()))) << i;
    ASSERT_EQ(reader->load(key_of("a"), soon()), next) << i;
    next.accessed += 1ms;
    ASSERT_TRUE(std::holds_alternative<Done>(reader->touch(key_of("a"), 7, next.accessed, soon()))) << i;
    record = next;
  }
}

// As the contract says it, with the logins on two nodes and the change on the third.
TEST_F(MysqlGalera, NothingSlipsPastAnEpochThatIsChangedOnAnotherNode) {
  const std::unique_ptr<SessionStore> stores[] = {on(0), on(1), on(2)};
  for (int round = 0; round < std::max(10, test::rounds() / 50); ++round) {
    const bool everyone = round % 2 == 0;
    const auto subject_of = [&](std::size_t i) {
      return everyone ? "user " + std::to_string(i) : "ada " + std::to_string(round);
    };
    std::vector<std::vector<SessionKey>> made(4);
    std::vector<EpochsSeen> seen;
    for (std::size_t i = 0; i < made.size(); ++i) seen.push_back(stores[0]->epochs()->epochs(subject_of(i), soon()));
    std::atomic<bool> changed = false;
    std::atomic<int> admitted = 0, late = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < made.size(); ++i)
      threads.emplace_back([&, i] {
        auto record = record_of();
        record.subject = subject_of(i);
        const Admission admission{.seen = seen[i]};
        for (int n = 0; n < 10000; ++n) {
          const bool after = changed;
          const auto key = key_of(std::to_string(round) + " " + std::to_string(i) + " " + std::to_string(n));
          const auto answer = stores[1 + i % 2]->create(key, record, soon(), &admission);
          const bool done = std::holds_alternative<Done>(answer);
          if (done) made[i].push_back(key);
          admitted += done;
          late += done && after;
          if (after) return;
        }
      });
    EXPECT_TRUE(eventually([&] { return admitted > 3; }));
    stores[0]->epochs()->set_epoch(everyone ? "" : subject_of(0), 1000 + static_cast<std::uint64_t>(round),
                                   system_clock().now() + 1h, soon());
    std::set<SessionKey> found;
    stores[0]->scan()->walk([&](const KeyedRecord& each) { return found.insert(each.key), true; }, soon());
    changed = true;
    for (auto& t : threads) t.join();
    EXPECT_EQ(late, 0) << "admitted after the change";
    for (const auto& mine : made)
      for (const auto& key : mine) {
        EXPECT_TRUE(stores[0]->load(key, soon())) << "it was acknowledged and did not happen";
        EXPECT_TRUE(found.contains(key)) << "it happened, and who looked did not find it"
                                         << (everyone ? "; everyone's epoch" : "");
      }
  }
}

TEST_F(MysqlGalera, ANodeThatIsNotReadyIsPassedOver) {
  const Process node(place->options(), 0);
  const auto store = on(0);
  store->create(key_of("a"), record_of(), soon());
  node.administer("SET GLOBAL wsrep_reject_queries=ALL");
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record_of("x", 2), soon())))
      << "on another node";
  EXPECT_EQ(place->open()->load(key_of("a"), soon())->payload, "x");
  const auto alone = only_host(place->options(), 0);
  std::string message;
  EXPECT_EQ(trouble_of([&] { place->open(alone); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("not ready"), std::string::npos) << message;
  node.administer("SET GLOBAL wsrep_reject_queries=NONE");
  EXPECT_EQ(place->open(alone)->load(key_of("a"), soon())->payload, "x");
}

TEST_F(MysqlGalera, AFrozenNodeHoldsNobodyUpBeyondTheDeadlineAndIsLeft) {
  const auto store = on(0);
  store->create(key_of("a"), record_of(), soon());
  Process node(place->options(), 0);
  node.freeze();
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), Deadline::after(300ms)); }), Trouble::unavailable);
  EXPECT_LE(Deadline::Steady::now() - begin, 400ms);
  EXPECT_TRUE(eventually([&] {
    return !trouble_of([&] { EXPECT_TRUE(store->load(key_of("a"), Deadline::after(2s))); });
  })) << "the others go on without it";
  node.thaw();
}

// The last test: the node does not come back. Writers prefer it.
TEST_F(MysqlGalera, ZNoAcknowledgedWriteIsLostWhenANodeIsKilled) {
  constexpr std::size_t writers = 4;
  Raw survivor(place->options(), 2);
  ASSERT_TRUE(eventually(
      [&] {
        return survivor.ask(
                   "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE "
                   "VARIABLE_NAME='wsrep_cluster_size'") == "3";
      },
      60s));
  const auto store = on(0);
  std::atomic<bool> stop = false, killed = false;
  std::atomic<int> after = 0;
  std::vector<std::atomic<std::uint64_t>> acknowledged(writers);
  for (std::size_t i = 0; i < writers; ++i) store->create(key_of(std::to_string(i)), record_of("", 0), soon());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < writers; ++i)
    threads.emplace_back([&, i] {
      const auto key = key_of(std::to_string(i));
      auto& n = acknowledged[i];
      while (!stop) {
        try {
          const auto answer = store->commit(key, {7, n}, record_of(std::to_string(n + 1), n + 1), Deadline::after(2s));
          if (std::holds_alternative<Done>(answer)) {
            ++n;
            after += killed;
          } else if (const auto* conflict = std::get_if<Conflict>(&answer)) {
            EXPECT_EQ(conflict->current.version.counter, n + 1)
                << "an acknowledged write is gone, or one was done twice";
            n = conflict->current.version.counter;
          } else {
            ADD_FAILURE() << "gone";
          }
        } catch (const StoreError& e) {
          EXPECT_TRUE(e.kind() == Trouble::unavailable || e.kind() == Trouble::contention) << e.what();
        }
      }
    });
  EXPECT_TRUE(eventually([&] { return acknowledged[0] > 20; }));
  Process node(place->options(), 0);
  node.kill();
  const auto begin = Deadline::Steady::now();
  killed = true;
  EXPECT_TRUE(eventually([&] { return after > 20; }, 60s));
  std::cout << "written again after " << std::chrono::duration_cast<Duration>(Deadline::Steady::now() - begin).count()
            << " ms\n";
  stop = true;
  for (auto& t : threads) t.join();
  for (std::size_t host : {1u, 2u}) {
    const auto reader = place->open(only_host(place->options(), host));
    for (std::size_t i = 0; i < writers; ++i) {
      const auto found = reader->load(key_of(std::to_string(i)), soon());
      ASSERT_TRUE(found);
      EXPECT_GE(found->version.counter, acknowledged[i]);
      EXPECT_LE(found->version.counter, acknowledged[i] + 1);
    }
  }
}

}  // namespace
}  // namespace sancho::mysql_test
