// Connections that are handed from one call to the next.
#include "stores/pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sancho {
namespace {

using namespace std::chrono_literals;

struct Slow {  // to say that it is of no use any more
  bool sound() const { return true; }
  bool fit() const {
    asked = true;
    std::this_thread::sleep_for(200ms);
    return false;
  }
  static inline std::atomic<bool> asked = false;
};

TEST(Pool, WhoIsTooLateForAConnectionLeavesItToWhoWaits) {
  Pool<Slow> pool(1, "a store", [](Deadline) { return std::make_unique<Slow>(); });
  { const auto idle = pool.take(Deadline::after(20s)); }
  std::thread late([&] { EXPECT_THROW(pool.take(Deadline::after(100ms)), StoreError); });
  while (!Slow::asked) std::this_thread::yield();
  const auto began = Deadline::Steady::now();
  EXPECT_NO_THROW(pool.take(Deadline::after(20s)));
  EXPECT_LT(Deadline::Steady::now() - began, 10s);
  late.join();
}

}  // namespace
}  // namespace sancho
