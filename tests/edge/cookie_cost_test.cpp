// K12 and F13: what reading costs is bounded, and is measured here in
// allocations and, generously, in time.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>

#include "sancho/cookie.hpp"

namespace {
std::atomic<std::size_t> allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {
using sancho::find_cookie;
using sancho::parse_cookies;
using Outcome = sancho::FoundCookie::Outcome;

std::string repeat(std::string_view text, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out.append(text);
  return out;
}

std::chrono::nanoseconds time_of(const std::string& header) {
  auto best = std::chrono::nanoseconds::max();
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const auto found = find_cookie(header, "sid");
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - start);
    EXPECT_NE(found.outcome, Outcome::found);
  }
  return best;
}
}  // namespace

TEST(CookieCost, K12ReadingAllocatesNothingAndGivesViewsIntoTheHeader) {
  const std::string header = repeat("name=value; ", 31 * 12) + "sid=here";
  const std::string_view lines[] = {header, "b=2"};
  const auto before = allocations.load();
  const auto found = find_cookie(header, "sid");
  const auto found_in_lines = find_cookie(lines, "sid");
  const auto list = parse_cookies(lines);
  const auto after = allocations.load();
  EXPECT_EQ(after, before);
  EXPECT_EQ(found.value, "here");
  EXPECT_EQ(found.value.data(), header.data() + header.size() - 4);
  EXPECT_EQ(found_in_lines.value.data(), found.value.data());
  ASSERT_EQ(list.size(), 33u);
  EXPECT_EQ(list.begin()->name.data(), header.data());
}

TEST(CookieCost, TheCountingOfAllocationsWorks) {
  const auto before = allocations.load();
  const auto text = repeat("x", 100);
  EXPECT_GT(allocations.load(), before);
}

TEST(CookieCost, F13AMegabyteOfAnythingIsRefusedAtOnce) {
  for (const auto unit : {"\"", ";", "=", "a=1;", "; ", "sid=x;", "\t"}) {
    const auto header = repeat(unit, 1 << 20);
    EXPECT_EQ(find_cookie(header, "sid").outcome, Outcome::over_limits);
    EXPECT_LT(time_of(header), std::chrono::milliseconds{5}) << unit;
  }
  EXPECT_EQ(find_cookie(repeat("a=1; ", 50'000), "sid").outcome, Outcome::over_limits);  // 10,000 pairs
}

// The longest headers that are read at all take far less than a request does.
TEST(CookieCost, F13TheWorstHeaderWithinTheLimitsIsCheap) {
  for (const auto unit : {";", " ", "\t;", " ; ", "\"", "="}) {
    auto header = repeat(unit, sancho::max_cookie_bytes);
    header.resize(sancho::max_cookie_bytes);
    EXPECT_LT(time_of(header), std::chrono::milliseconds{5}) << unit;
  }
}
