// The memory store's sweep against a naive model: whatever was created, touched,
// committed and erased, and however the clock was moved, it removes what has
// expired and nothing else.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::after(10min); }
SessionKey new_key() { return SessionKey::of("", SessionId::draw(system_random())); }

// Moments near and far: within a second, an hour, a day, a year.
rc::Gen<Duration> spans() {
  const auto up_to = [](Duration d) { return rc::gen::inRange<std::int64_t>(0, d.count()); };
  return rc::gen::map(rc::gen::oneOf(up_to(2s), up_to(1h), up_to(24h), up_to(365 * 24h)), [](std::int64_t ms) { return Duration{ms}; });
}

class SweptModel {
 public:
  void create() {
    Record record;
    record.version = {system_random().draw_u64(), 1};
    record.state = static_cast<State>(*rc::gen::inRange(0, 5));
    record.created = record.accessed = clock.now();
    record.idle = *spans();
    record.ends = clock.now() + *spans();
    record.handle = Handle::draw(system_random());
    if (*rc::gen::arbitrary<bool>()) record.subject = "ada";
    record.payload.assign(*rc::gen::inRange<std::size_t>(0, 300), 'x');
    const auto key = new_key();
    RC_ASSERT(std::holds_alternative<Done>(store->create(key, record, soon(), nullptr)));
    records[key] = record;
  }
  void touch() {
    auto& [key, record] = any();
    const auto accessed = clock.now() + *spans() - 12h;
    const bool there = record.state == State::live && !record.expired(clock.now());
    RC_ASSERT(std::holds_alternative<Done>(store->touch(key, record.version.incarnation, accessed, soon())) == there);
    if (there) record.accessed = std::max(record.accessed, accessed);
  }
  void commit() {
    auto& [key, record] = any();
    auto next = record;
    next.version = record.version.after(system_random().draw_u64());
    next.state = static_cast<State>(*rc::gen::inRange(0, 5));
    next.ends = clock.now() + *spans();
    next.idle = *spans();
    next.payload.assign(*rc::gen::inRange<std::size_t>(0, 300), 'y');
    const bool there = !record.expired(clock.now());
    RC_ASSERT(std::holds_alternative<Done>(store->commit(key, record.version, next, soon())) == there);
    if (there) record = next;
  }
  void erase() {
    const auto [key, record] = any();
    const bool there = !record.expired(clock.now());
    RC_ASSERT(std::holds_alternative<Removed>(store->erase(key, std::nullopt, soon())) == there);
    if (there) records.erase(key);
  }
  void move_clock() {
    const auto by = *spans();
    clock.advance(*rc::gen::inRange(0, 5) == 0 ? -by : by);
  }
  void sweep() {
    std::multiset<Handle> expected, told;
    std::size_t gone = 0;
    for (auto at = records.begin(); at != records.end();) {
      if (!at->second.expired(clock.now())) {
        ++at;
        continue;
      }
      ++gone;
      if (at->second.state == State::live) expected.insert(at->second.handle);
      at = records.erase(at);
    }
    const auto budget = *rc::gen::element<std::size_t>(1, 7, 1000);
    std::size_t removed = 0;
    for (bool more = true; more;) {
      const auto answer = store->sweep({.budget = budget}, soon());
      RC_ASSERT(answer.removed <= budget);
      RC_ASSERT(answer.sessions == answer.handles.size());
      removed += answer.removed;
      told.insert(answer.handles.begin(), answer.handles.end());
      more = answer.more;
    }
    RC_ASSERT(removed == gone);
    RC_ASSERT(told == expected);
  }
  void check() {
    std::map<SessionKey, Record> there, expected;
    store->scan()->walk([&](const KeyedRecord& each) { return there.emplace(each.key, each.record).second; }, soon());
    for (const auto& [key, record] : records)
      if (!record.expired(clock.now())) expected.emplace(key, record);
    RC_ASSERT(there == expected);
  }

  ManualClock clock;
  std::unique_ptr<SessionStore> store = open_memory_store(clock);
  std::map<SessionKey, Record> records;

 private:
  std::pair<const SessionKey, Record>& any() { return *std::next(records.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(records))); }
};

RC_GTEST_PROP(MemorySweep, RemovesWhatHasExpiredAndNothingElse, ()) {
  SweptModel model;
  for (int step = *rc::gen::inRange(1, 300); step > 0; --step) {
    const auto what = *rc::gen::inRange(0, 12);
    if (model.records.empty() || what < 4) model.create();
    else if (what < 6) model.touch();
    else if (what < 7) model.commit();
    else if (what < 8) model.erase();
    else if (what < 11) model.move_clock();
    else model.sweep();
  }
  model.sweep();
  model.check();
}

TEST(MemorySweep, SessionsThatAreTouchedGoInTheEnd) {
  ManualClock clock;
  const auto store = open_memory_store(clock);
  std::vector<SessionKey> keys;
  Record record;
  record.version = {7, 1};
  record.idle = 10min;
  record.ends = clock.now() + 10h;
  record.created = record.accessed = clock.now();
  for (int i = 0; i < 2000; ++i) store->create(keys.emplace_back(new_key()), record, soon(), nullptr);
  for (int minute = 0; minute < 60; ++minute) {
    for (std::size_t i = 0; i < keys.size(); i += 2) store->touch(keys[i], 7, clock.now(), soon());
    std::size_t removed = 0;
    for (bool more = true; more;) {
      const auto answer = store->sweep({}, soon());
      removed += answer.removed, more = answer.more;
    }
    EXPECT_EQ(removed, minute == 10 ? 1000u : 0u) << minute;
    clock.advance(1min);
  }
  clock.advance(9min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 1000u);
}

}  // namespace
}  // namespace sancho
