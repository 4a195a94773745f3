// Sessions that were not accessed for long, in a store that is too large for one
// call: what a walk that was stopped leaves to the next.
#include <gtest/gtest.h>

#include <map>

#include "spoilt.hpp"
#include "stores/sweeping.hpp"

namespace sancho {
namespace {

Time at(int ms) { return Time{Duration{ms}}; }

// A store's records, as a walk sees them: when each was accessed, by its key.
struct Shelf {
  Shelf(int n, Time moment) {
    for (int i = 0; i < n; ++i) accessed[std::to_string(10'000 + i)] = moment;
  }
  std::map<std::string, Time> accessed;
  WalkPlace place;

  // One call. `parts`: as many until it is cut off.
  bool walk(Time moment, std::size_t budget, int parts = 1'000'000) {
    return walk_for_old(place, moment, budget, soon(), [&](const std::string& after, std::size_t most) {
      if (parts-- == 0) throw StoreError(Trouble::unavailable, "the deadline passed");
      WalkPart part;
      auto each = accessed.upper_bound(after);
      for (std::size_t n = 0; n < most && each != accessed.end(); ++n) {
        part.last = each->first;
        part.removed += each->second < moment;
        each = each->second < moment ? accessed.erase(each) : std::next(each);
      }
      part.more = each != accessed.end();
      return part;
    });
  }
};

TEST(OldSessions, AWalkThatIsCutOffEachTimeComesToTheEndAllTheSame) {
  Shelf shelf(2000, at(1000));
  for (const auto* old : {"10000", "11000", "11999"}) shelf.accessed[old] = at(0);
  for (int call = 0; call < 10; ++call)
    EXPECT_THROW(shelf.walk(at(1 + call), 1000, 2), StoreError) << "it had come to the end";
  EXPECT_EQ(shelf.accessed.size(), 1997u);
}

TEST(OldSessions, AWalkLooksAtABoundedNumberOfRecords) {
  Shelf shelf(1000, at(1000));
  EXPECT_TRUE(shelf.walk(at(1), 150));
  shelf.accessed["10299"] = at(0);  // where it has been
  shelf.accessed["10300"] = at(0);  // where it has not
  EXPECT_TRUE(shelf.walk(at(1), 150));
  EXPECT_EQ(shelf.accessed.count("10299"), 1u);
  EXPECT_EQ(shelf.accessed.count("10300"), 0u);
}

TEST(OldSessions, AWalkThatJoinedAnotherIsOverWhenItHasBeenAround) {
  Shelf shelf(300, at(1000));
  EXPECT_TRUE(shelf.walk(at(1), 100));
  shelf.accessed["10001"] = at(500);  // old for the second, and not for the first
  EXPECT_FALSE(shelf.walk(at(501), 1000));
  EXPECT_EQ(shelf.accessed.size(), 299u);
  EXPECT_FALSE(shelf.walk(at(501), 1000));
}

TEST(OldSessions, OneThatAsksForAnEarlierMomentTakesTheLaterOnesPlaceAndSpoilsItNot) {
  Shelf shelf(300, at(1000));
  EXPECT_TRUE(shelf.walk(at(501), 100));
  shelf.accessed["10250"] = at(500);  // old for the first, and not for the second
  EXPECT_FALSE(shelf.walk(at(1), 1000));
  EXPECT_FALSE(shelf.walk(at(501), 1000));
  EXPECT_EQ(shelf.accessed.size(), 299u);
}

// ## delete_old_sessions

struct Cut {
  // A store whose sweep does a part, and is then cut off by the deadline.
  explicit Cut(int calls_that_work) {
    store.on_sweep = [=, this](Spoilt&, const SweepRequest&) {
      if (++calls > calls_that_work) {
        while (!deadline.passed()) std::this_thread::yield();
        throw StoreError(Trouble::unavailable, "the deadline passed");
      }
      return SweepAnswer{.removed = 1, .sessions = 1, .more = true, .handles = {Handle::draw(system_random())}};
    };
  }
  std::unique_ptr<SessionStore> memory = open_memory_store();
  Spoilt store{*memory};
  Deadline deadline = Deadline::after(Duration{50});
  int calls = 0;
};

TEST(OldSessions, WhatHasGoneIsToldThoughTheDeadlineCutTheLastSweepOff) {
  Cut cut(2);
  int told = 0;
  EXPECT_EQ(delete_old_sessions(cut.store, Duration{1}, at(1000), cut.deadline, [&](const Handle&) { ++told; }), 2u);
  EXPECT_EQ(told, 2);
}

TEST(OldSessions, AStoreThatNeverAnsweredIsTrouble) {
  Cut cut(0);
  EXPECT_THROW(delete_old_sessions(cut.store, Duration{1}, at(1000), cut.deadline), StoreError);
}

TEST(OldSessions, TroubleBeforeTheDeadlineIsTrouble) {
  Cut cut(2);
  cut.deadline = Deadline::after(Duration{0});
  EXPECT_THROW(delete_old_sessions(cut.store, Duration{1}, at(1000), soon()), StoreError);
}

}  // namespace
}  // namespace sancho
