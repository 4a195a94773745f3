#include "sancho/stores/memory.hpp"

#include <gtest/gtest.h>

#include "sancho/conformance.hpp"

namespace sancho {
namespace {

SANCHO_STORE_CONFORMANCE(Memory, [] { return conformance::Venue{.open = [](const Clock& clock) { return open_memory_store(clock); }}; });

Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

SessionKey new_key() { return SessionKey::of("", SessionId::draw(system_random())); }

Record session(Time now) {
  Record record;
  record.version = {system_random().draw_u64(), 1};
  record.accessed = now;
  record.idle = std::chrono::minutes{10};
  record.ends = now + std::chrono::hours{10};
  return record;
}

TEST(MemoryStore, SaysWhatItGives) {
  const auto traits = open_memory_store()->traits();
  EXPECT_TRUE(traits.thread_safe);
  EXPECT_TRUE(traits.linearizable);
  EXPECT_FALSE(traits.multiprocess_safe);
  EXPECT_FALSE(traits.durable);
  EXPECT_FALSE(traits.power_safe);
}

TEST(MemoryStore, ASweepBeyondItsDeadlineStopsAndSaysThatMoreWaits) {
  const ManualClock clock;
  const auto store = open_memory_store(clock);
  EXPECT_TRUE(store->sweep({}, Deadline::after(Duration{-1})).more);
  EXPECT_FALSE(store->sweep({}, soon()).more);
}

TEST(MemoryStore, DeleteOldSessionsTakesAllOfAtLeastThatAge) {
  ManualClock clock;
  const auto store = open_memory_store(clock);
  for (int i = 0; i < 2500; ++i) store->create(new_key(), session(clock.now()), soon());
  clock.advance(std::chrono::minutes{5});
  for (int i = 0; i < 10; ++i) store->create(new_key(), session(clock.now()), soon());
  EXPECT_EQ(delete_old_sessions(*store, std::chrono::minutes{5} + Duration{1}, clock.now(), soon()), 0u);
  EXPECT_EQ(delete_old_sessions(*store, std::chrono::minutes{5}, clock.now(), soon()), 2500u);
  EXPECT_EQ(store->scan()->count(soon()), 10u);
}

TEST(MemoryStore, TheSubjectOfAnExpiredRecordIsForgottenWhenItsKeyIsUsedAgain) {
  ManualClock clock;
  const auto store = open_memory_store(clock);
  const auto key = new_key();
  auto record = session(clock.now());
  record.subject = "ada";
  store->create(key, record, soon());
  clock.advance(std::chrono::minutes{10});
  auto next = session(clock.now());
  next.subject = "eve";
  store->create(key, next, soon());
  EXPECT_TRUE(store->subjects()->find_by_subject("ada", soon()).empty());
  EXPECT_EQ(store->subjects()->find_by_subject("eve", soon()).size(), 1u);
}

}  // namespace
}  // namespace sancho
