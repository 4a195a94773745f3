// # One directory, several processes, and some of them die
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "../support/rounds.hpp"
#include "fresh_directory.hpp"
#include "processes.hpp"
#include "sancho/stores/directory.hpp"

namespace sancho {
namespace {

Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

// So many where races play a thousand rounds.
int rounds(int usual) { return std::max(1, usual * test::rounds() / 1000); }

SessionKey new_key() { return SessionKey::of("", SessionId::draw(system_random())); }

Record session() {
  Record record;
  const auto now = system_clock().now();
  record.version = {5, 0};
  record.created = record.accessed = now;
  record.idle = std::chrono::hours{1};
  record.ends = now + std::chrono::hours{1};
  record.payload = "0";
  return record;
}

class DirectoryProcesses : public testing::Test {
 protected:
  std::unique_ptr<SessionStore> open() { return open_directory_store(path); }

  // Adds one to the payload, so often, whoever else does.
  static void increment(SessionStore& store, const SessionKey& key, int times) {
    while (times > 0) {
      auto record = store.load(key, soon());
      if (!record) throw std::runtime_error("the record vanished");
      const auto expected = record->version;
      ++record->version.counter;
      record->payload = std::to_string(std::stoi(record->payload) + 1);
      if (std::holds_alternative<Done>(store.commit(key, expected, *record, soon()))) --times;
    }
  }

  FreshDirectory fresh;
  std::string path = fresh / "sessions";
  SessionKey key = new_key();
};

TEST_F(DirectoryProcesses, NoUpdateOfTwoProcessesIsLost) {
  const int each = rounds(100);
  open()->create(key, session(), soon());
  Child one([&] { increment(*open(), key, each); }), two([&] { increment(*open(), key, each); });
  EXPECT_TRUE(one.wait());
  EXPECT_TRUE(two.wait());
  const auto last = open()->load(key, soon());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->payload, std::to_string(2 * each));
  EXPECT_EQ(last->version.counter, static_cast<std::uint64_t>(2 * each));
}

TEST_F(DirectoryProcesses, AStoreThatWasOpenedBeforeAForkServesParentAndChild) {
  const int each = rounds(50);
  const auto store = open();
  store->create(key, session(), soon());
  Child one([&] { increment(*store, key, each); }), two([&] { increment(*store, key, each); });
  increment(*store, key, each);
  EXPECT_TRUE(one.wait());
  EXPECT_TRUE(two.wait());
  EXPECT_EQ(store->load(key, soon())->payload, std::to_string(3 * each));
}

TEST_F(DirectoryProcesses, OfTwoProcessesThatCreateOneKeyOneWins) {
  std::vector<SessionKey> keys;
  for (int i = 0; i < rounds(50); ++i) keys.push_back(new_key());
  Pipe wins;
  const auto create_all = [&] {
    const auto store = open();
    int won = 0;
    for (const auto& k : keys) won += std::holds_alternative<Done>(store->create(k, session(), soon()));
    wins.send(won);
  };
  Child one(create_all), two(create_all);
  EXPECT_TRUE(one.wait());
  EXPECT_TRUE(two.wait());
  int a = 0, b = 0;
  ASSERT_TRUE(wins.receive(a) && wins.receive(b));
  EXPECT_EQ(a + b, static_cast<int>(keys.size()));
}

TEST_F(DirectoryProcesses, ALogoutInOneProcessOutlivesTheTouchesOfAnother) {
  for (int round = 0; round < rounds(10); ++round) {
    const auto k = new_key();
    const auto live = session();
    const auto store = open();
    store->create(k, live, soon());
    Pipe touching;
    Child toucher([&] {
      const auto other = open();
      for (int n = 1;; ++n) {
        const bool gone = std::holds_alternative<Gone>(other->touch(k, 5, live.accessed + Duration{n}, soon()));
        if (n == 1) touching.send('t');
        if (gone) return;
      }
    });
    char begun = 0;
    ASSERT_TRUE(touching.receive(begun));
    auto ended = live;
    ended.state = State::ended;
    ++ended.version.counter;
    EXPECT_TRUE(std::holds_alternative<Done>(store->commit(k, live.version, ended, soon())));
    EXPECT_TRUE(toucher.wait());
    EXPECT_EQ(store->load(k, soon())->state, State::ended);
  }
}

TEST_F(DirectoryProcesses, NothingThatWasAcknowledgedIsLostByKillMinusNine) {
  constexpr State states[] = {State::live, State::live, State::ended, State::moved, State::live, State::pending};
  open()->create(key, session(), soon());
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < rounds(12); ++round) {
    Pipe pipe;
    {
      Child child([&] {
        const auto store = open();
        auto record = *store->load(key, soon());
        for (;;) {
          const auto expected = record.version;
          ++record.version.counter;
          record.state = states[record.version.counter % std::size(states)];
          record.payload.assign(record.version.counter * 37 % 5000, 'p');
          if (!std::holds_alternative<Done>(store->commit(key, expected, record, soon()))) throw std::runtime_error("not alone");
          pipe.send(record.version.counter);
        }
      });
      pipe.close_writing();
      // Let it work a while, a different while each time.
      for (int n = 0; n < 5 + round % 7; ++n) ASSERT_TRUE(pipe.receive(acknowledged));
      child.kill();
    }
    while (pipe.receive(acknowledged)) {
    }
    const auto store = open();
    const auto found = store->load(key, soon());
    ASSERT_TRUE(found) << "the record is gone";
    EXPECT_GE(found->version.counter, acknowledged);
    EXPECT_LE(found->version.counter, acknowledged + 1);
    EXPECT_EQ(found->state, states[found->version.counter % std::size(states)]);
    EXPECT_EQ(found->payload.size(), found->version.counter * 37 % 5000);
    // Its lock went with it.
    EXPECT_TRUE(std::holds_alternative<Conflict>(store->erase(key, Version{1, 1}, soon())));
    acknowledged = found->version.counter;
  }
}

}  // namespace
}  // namespace sancho
