#include "base/sleepers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace sancho {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

// Threads that sleep until their own flag is up, and count how often they woke.
class Dormitory {
 public:
  explicit Dormitory(unsigned beds) {
    for (unsigned i = 0; i < beds; ++i) {
      beds_.push_back(std::make_unique<Bed>());
      threads_.emplace_back([this, &bed = *beds_.back(), me = who(i)] {
        for (;;) {
          const auto seen = sleepers.calls();
          if (bed.up) {
            bed.left = true;
            return;
          }
          sleepers.sleep(seen, me, {});
          ++bed.woken;
        }
      });
    }
  }
  ~Dormitory() {
    for (unsigned i = 0; i < beds_.size(); ++i)
      for (raise(i); !beds_[i]->left; std::this_thread::sleep_for(1ms)) sleepers.call(~0u);
    for (auto& thread : threads_) thread.join();
  }
  static Sleepers::Who who(unsigned i) { return 1u << (i % 32); }
  void raise(unsigned i) { beds_[i]->up = true; }
  int woken(unsigned i) const { return beds_[i]->woken; }
  // Has it got up? It has half a minute.
  bool leaves(unsigned i) const {
    for (const auto until = Steady::now() + 30s; !beds_[i]->left && Steady::now() < until;) std::this_thread::yield();
    return beds_[i]->left;
  }
  Sleepers sleepers;

 private:
  struct Bed {
    std::atomic<bool> up = false;
    std::atomic<int> woken = 0;
    std::atomic<bool> left = false;
  };
  std::vector<std::unique_ptr<Bed>> beds_;
  std::vector<std::thread> threads_;
};

TEST(Sleepers, WhoIsCalledWakesAndNoCallIsLost) {
  for (int round = 0; round < 200; ++round) {
    Dormitory all(4);
    for (const unsigned i : {2u, 0u, 3u, 1u}) {
      all.raise(i);
      all.sleepers.call(Dormitory::who(i));
      ASSERT_TRUE(all.leaves(i)) << round;
    }
  }
}

TEST(Sleepers, OneCallWakesSeveral) {
  Dormitory all(5);
  for (const unsigned i : {1u, 3u, 4u}) all.raise(i);
  all.sleepers.call(Dormitory::who(1) | Dormitory::who(3) | Dormitory::who(4));
  for (const unsigned i : {1u, 3u, 4u}) EXPECT_TRUE(all.leaves(i)) << i;
}

#if defined(__linux__)
TEST(Sleepers, TheOthersSleepOn) {
  Dormitory all(2);
  constexpr int calls = 100;
  std::this_thread::sleep_for(20ms);
  const auto before = all.woken(0);
  for (int i = 0; i < calls; ++i) all.sleepers.call(Dormitory::who(1));
  all.raise(1);
  all.sleepers.call(Dormitory::who(1));
  EXPECT_TRUE(all.leaves(1));
  EXPECT_LT(all.woken(0) - before, calls / 10);
}
#endif

TEST(Sleepers, AnEarlierLookIsNotSleptUpon) {
  Sleepers sleepers;
  const auto seen = sleepers.calls();
  sleepers.call(1);
  const auto begin = Steady::now();
  sleepers.sleep(seen, 1, begin + 1min);
  EXPECT_LT(Steady::now() - begin, 30s);
}

TEST(Sleepers, ASleepEndsAtItsTime) {
  Sleepers sleepers;
  for (const auto after : {-1h, 0h}) sleepers.sleep(sleepers.calls(), 1, Steady::now() + after);
  const auto until = Steady::now() + 20ms;
  while (Steady::now() < until) sleepers.sleep(sleepers.calls(), 1, until);
  EXPECT_LT(Steady::now() - until, 5s);
  sleepers.sleep(sleepers.calls() + 1, 1, Steady::time_point::max());  // comes back, as it does where the number is another
}

}  // namespace
}  // namespace sancho
