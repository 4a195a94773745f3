// The memory store between threads: what sweeps, growth and moves look like from
// outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "../support/rounds.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::after(10min); }

SessionKey new_key() { return SessionKey::of("", SessionId::draw(system_random())); }

Record session(Time now, std::size_t size) {
  Record record;
  record.version = {system_random().draw_u64(), 1};
  record.created = record.accessed = now;
  record.idle = 10min;
  record.ends = now + 10h;
  record.subject = "ada";
  record.handle = Handle::draw(system_random());
  record.payload.assign(size, 'x');
  return record;
}

// While the table grows, pages are emptied and records change their size, who is
// not written to is always found, and a walk sees each once.
TEST(MemoryThreads, WhoStaysIsFoundWhateverComesAndGoes) {
  ManualClock clock;
  const auto store = open_memory_store(clock);
  std::vector<SessionKey> stay;
  const auto lasting = session(clock.now() + 100h, 200);
  for (int i = 0; i < 300; ++i) store->create(stay.emplace_back(new_key()), lasting, soon());
  std::atomic<bool> over = false;
  std::atomic<int> missed = 0, walks = 0;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] {
    for (std::size_t i = 0; !over; ++i) missed += store->load(stay[i % stay.size()], soon()) != lasting;
  });
  threads.emplace_back([&] {
    while (!over) {
      std::vector<int> times(stay.size());
      store->scan()->walk(
          [&](const KeyedRecord& each) {
            const auto at = std::find(stay.begin(), stay.end(), each.key);
            if (at != stay.end()) ++times[static_cast<std::size_t>(at - stay.begin())];
            return !over;
          },
          soon());
      if (over) break;
      for (const auto n : times) missed += n != 1;
      ++walks;
    }
  });
  threads.emplace_back([&] {
    while (!over) store->sweep({.budget = 50, .accessed_before = clock.now() - 5min}, soon());
  });
  for (int round = 0; round < test::rounds() / 50 || walks < 2; ++round) {
    for (int i = 0; i < 500; ++i) {
      const auto key = new_key();
      auto record = session(clock.now(), static_cast<std::size_t>(i % 40) * 10);
      store->create(key, record, soon());
      const auto before = record.version;
      ++record.version.counter;
      record.payload.append(static_cast<std::size_t>(i % 3) * 100, 'y');
      store->commit(key, before, record, soon());
    }
    clock.advance(1min);
    store->subjects()->find_by_subject("ada", soon());
  }
  over = true;
  threads.clear();
  EXPECT_EQ(missed, 0);
}

// A user with very many sessions is as good as any other.
TEST(MemoryThreads, AUserWithThousandsOfSessionsFindsAllOfThem) {
  const auto store = open_memory_store();
  const auto record = session(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()), 10);
  std::vector<SessionKey> keys;
  for (int i = 0; i < 5000; ++i) store->create(keys.emplace_back(new_key()), record, soon());
  EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 5000u);
  for (std::size_t i = 0; i < keys.size(); i += 2) store->erase(keys[i], std::nullopt, soon());
  EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 2500u);
}

}  // namespace
}  // namespace sancho
