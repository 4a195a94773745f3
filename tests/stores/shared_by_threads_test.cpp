// What stores share between threads: a mutex that readers need not touch, and what
// lies idle until the next call.
#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "../support/rounds.hpp"
#include "stores/idle.hpp"
#include "stores/read_mostly_mutex.hpp"

namespace sancho {
namespace {

template <class Mutex>
class ReadMostly : public testing::Test {
 protected:
  using Lock = ReadMostlyMutex<Mutex>;
  using Reading = typename Lock::Reading;
  using Writing = typename Lock::Writing;
  Readers readers;
  Lock mutex;
};
using Mutexes = testing::Types<std::mutex, std::shared_mutex>;
TYPED_TEST_SUITE(ReadMostly, Mutexes);

TYPED_TEST(ReadMostly, ReadersSeeNoHalfOfAWrite) {
  std::uint64_t left = 0, right = 0;  // always alike, and no atomics
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> reads = 0, wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!over) {
        const typename TestFixture::Reading lock(this->mutex, this->readers);
        wrong += left != right;
        ++reads;
      }
    });
  const int writes = test::rounds();
  std::uint64_t quickly = 0;
  for (int i = 0; i < writes; ++i) {
    {
      // In vain mostly, but one of those that did not wait is in now and then.
      const typename TestFixture::Writing quick(this->mutex, this->readers, std::try_to_lock);
      if (quick) ++left, ++right, ++quickly;
    }
    {
      const typename TestFixture::Writing lock(this->mutex, this->readers);
      ++left, ++right;
    }
    // Long enough now and then for readers to have it to themselves.
    for (const auto until = reads + (i % 4 == 0 ? 100 : 0); reads < until;) std::this_thread::yield();
  }
  over = true;
  threads.clear();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(left, static_cast<std::uint64_t>(writes) + quickly);
}

TYPED_TEST(ReadMostly, MoreThreadsThanPlacesExcludeWritersTooWhoeverSharesOne) {
  std::uint64_t value = 0;
  std::atomic<std::uint64_t> went_back = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < thread_places + 6; ++t)
    threads.emplace_back([&, t] {
      std::uint64_t last = 0;
      for (int i = 0; i < 200; ++i) {
        if (t == 0 && i % 8 == 0) {
          const typename TestFixture::Writing lock(this->mutex, this->readers);
          ++value;
        }
        const typename TestFixture::Reading lock(this->mutex, this->readers);
        went_back += value < last;
        last = value;
      }
    });
  threads.clear();
  EXPECT_EQ(went_back, 0u);
  EXPECT_EQ(value, 25u);
}

// Whether readers have it to themselves by now, or lock it still.
TYPED_TEST(ReadMostly, WhoWaitsForNobodyIsNotInWhileSomebodyReads) {
  for (int reads_before : {0, 100}) {
    for (int i = 0; i < reads_before; ++i) const typename TestFixture::Reading lock(this->mutex, this->readers);
    const auto try_it = [&] {
      bool in = false;
      std::jthread([&] { in = static_cast<bool>(typename TestFixture::Writing(this->mutex, this->readers, std::try_to_lock)); }).join();
      return in;
    };
    {
      const typename TestFixture::Reading lock(this->mutex, this->readers);
      EXPECT_FALSE(try_it()) << reads_before;
    }
    EXPECT_TRUE(try_it()) << reads_before;
  }
}

TEST(Idle, GivesBackWhatItWasGiven) {
  Idle<int> idle;
  int item = 0;
  EXPECT_EQ(idle.take(), nullptr);
  EXPECT_TRUE(idle.give(&item));
  EXPECT_EQ(idle.take(), &item);
  EXPECT_EQ(idle.take(), nullptr);
}

TEST(Idle, AThreadTakesWhatAnotherHasLeft) {
  Idle<int> idle;
  int item = 0;
  std::jthread([&] { EXPECT_TRUE(idle.give(&item)); }).join();
  EXPECT_EQ(idle.take(), &item);
}

TEST(Idle, HasRoomForAsManyAsItHasPlaces) {
  Idle<int> idle;
  std::vector<int> items(thread_places + 1);
  for (unsigned i = 0; i < thread_places; ++i) EXPECT_TRUE(idle.give(&items[i])) << i;
  EXPECT_FALSE(idle.give(&items.back()));
  EXPECT_NE(idle.take(), nullptr);
  EXPECT_TRUE(idle.give(&items.back()));
}

// Each is used by one thread at a time, without an atomic of its own.
TEST(Idle, NoTwoHaveTheSame) {
  struct alignas(64) Item {
    std::uint64_t uses = 0;
  };
  Idle<Item> idle;
  std::vector<Item> items(4);
  for (auto& item : items) EXPECT_TRUE(idle.give(&item));
  std::atomic<std::uint64_t> used = 0;
  std::vector<std::jthread> threads;
  const int uses = 20 * test::rounds();
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < uses; ++i)
        if (auto* item = idle.take()) {
          ++item->uses, ++used;
          EXPECT_TRUE(idle.give(item));
        }
    });
  threads.clear();
  std::uint64_t counted = 0;
  for (const auto& item : items) counted += item.uses;
  EXPECT_EQ(counted, used);
  EXPECT_GT(used, 0u);
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_NE(idle.take(), nullptr);
  EXPECT_EQ(idle.take(), nullptr);
}

}  // namespace
}  // namespace sancho
