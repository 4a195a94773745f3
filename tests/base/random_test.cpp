#include "sancho/random.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../support/counting_random.hpp"

TEST(SystemRandom, FillsAnyLengthAndRepeatsNothing) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(sancho::system_random().draw_u64());
  EXPECT_EQ(seen.size(), 100'000u);
  std::array<std::byte, 4096> large{};
  sancho::system_random().fill(large);
  std::set<std::byte> values(large.begin(), large.end());
  EXPECT_GT(values.size(), 250u);
  sancho::system_random().fill({});
}

TEST(SystemRandom, AForkedChildDrawsOtherBytesThanItsParent) {
  sancho::system_random().draw_u64();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto v = sancho::system_random().draw_u64();
    _exit(write(ends[1], &v, sizeof v) == sizeof v ? 0 : 1);
  }
  const auto mine = sancho::system_random().draw_u64();
  std::uint64_t theirs = 0;
  ASSERT_EQ(read(ends[0], &theirs, sizeof theirs), static_cast<ssize_t>(sizeof theirs));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_NE(mine, theirs);
  close(ends[0]);
  close(ends[1]);
}

namespace {
constexpr std::size_t drawn_by_a_child = 20;

// What a child draws that `make` makes: zero in the child.
template <class Fork>
std::vector<std::uint64_t> drawn_in_a_child(Fork make) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const auto child = static_cast<pid_t>(make());
  if (child == 0) {
    std::array<std::uint64_t, drawn_by_a_child> values;
    for (auto& v : values) v = sancho::system_random().draw_u64();
    _exit(write(ends[1], values.data(), sizeof values) == static_cast<ssize_t>(sizeof values) ? 0 : 1);
  }
  close(ends[1]);
  std::vector<std::uint64_t> values(drawn_by_a_child);
  const auto size = read(ends[0], values.data(), sizeof(std::uint64_t) * drawn_by_a_child);
  values.resize(size > 0 ? static_cast<std::size_t>(size) / sizeof(std::uint64_t) : 0);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return values;
}

// Draws in a parent, in children at every place of a batch and in between, and
// counts those that come twice.
template <class Fork>
void expect_nothing_twice(Fork make) {
  std::set<std::uint64_t> seen;
  std::size_t drawn = 0;
  for (int child = 0; child < 40; ++child) {
    for (int i = 0; i < 7; ++i, ++drawn) seen.insert(sancho::system_random().draw_u64());
    const auto theirs = drawn_in_a_child(make);
    ASSERT_EQ(theirs.size(), drawn_by_a_child);
    seen.insert(theirs.begin(), theirs.end());
    drawn += theirs.size();
  }
  EXPECT_EQ(seen.size(), drawn);
}
}  // namespace

TEST(SystemRandom, NothingComesTwiceInAnyOfManyChildren) { expect_nothing_twice(fork); }

// A `fork` that no library hears of, so that no handler of one helps.
TEST(SystemRandom, NothingComesTwiceWhereTheKernelAloneKnowsOfTheFork) {
  expect_nothing_twice([] { return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); });
}

TEST(SystemRandom, NothingComesTwiceWhileOtherThreadsDraw) {
  std::atomic<bool> stop = false;
  std::vector<std::set<std::uint64_t>> theirs(2);
  std::vector<std::thread> threads;
  for (auto& seen : theirs)
    threads.emplace_back([&] {
      while (!stop && seen.size() < 200'000) seen.insert(sancho::system_random().draw_u64());
    });
  expect_nothing_twice(fork);
  stop = true;
  for (auto& thread : threads) thread.join();
  std::vector<std::uint64_t> both;
  std::set_intersection(theirs[0].begin(), theirs[0].end(), theirs[1].begin(), theirs[1].end(), std::back_inserter(both));
  EXPECT_TRUE(both.empty());
}

// A sanitizer has terabytes that could be written to.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANCHO_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANCHO_IS_SANITIZED 1
#endif
#endif
#if defined(__linux__) && !defined(SANCHO_IS_SANITIZED)
namespace {
// How often the bytes, of which this is the complement, are in what this process
// can write to.
std::size_t copies_in_memory(const std::array<std::byte, 16>& complement) {
  std::ifstream maps("/proc/self/maps");
  const int memory = open("/proc/self/mem", O_RDONLY);
  std::vector<char> piece(1 << 16);
  std::size_t copies = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    char mode[8]{};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w') continue;
    const auto own = reinterpret_cast<unsigned long>(piece.data());
    for (auto at = from; at < to; at += piece.size() - complement.size()) {
      if (at < own + piece.size() && at + piece.size() > own) continue;
      const auto size = pread(memory, piece.data(), std::min(piece.size(), to - at), static_cast<off_t>(at));
      for (ssize_t i = 0; i + 16 <= size; ++i) {
        std::size_t same = 0;
        while (same < 16 && static_cast<std::byte>(piece[static_cast<std::size_t>(i) + same]) == ~complement[same]) ++same;
        copies += same == 16;
      }
    }
  }
  close(memory);
  return copies;
}
}  // namespace

TEST(SystemRandom, KeepsNothingOfWhatItHasHandedOut) {
  std::array<std::byte, 16> drawn, complement;
  // Twice, so that nothing is called first behind the draw that counts: the loader
  // looks it up then, and saves registers on the stack, which still hold the bytes.
  for (int i = 0; i < 2; ++i) {
    complement.fill(std::byte{0});
    copies_in_memory(complement);
    sancho::system_random().fill(drawn);
  }
  for (std::size_t i = 0; i < drawn.size(); ++i) complement[i] = ~drawn[i];
  EXPECT_GE(copies_in_memory(complement), 1u) << "the test does not find what is there";
  for (auto& b : drawn) *const_cast<volatile std::byte*>(&b) = std::byte{0};
  EXPECT_EQ(copies_in_memory(complement), 0u);
}
#endif

namespace {
std::atomic<std::uint64_t> drawn_at_the_end = 0;
struct DrawsAtTheEnd {
  ~DrawsAtTheEnd() { drawn_at_the_end = sancho::system_random().draw_u64(); }
};
}  // namespace

// Whatever is destroyed behind the thread's batch may draw all the same: an object of
// the thread's, or a static one of the program.
TEST(SystemRandom, MayBeDrawnFromWhileAThreadsObjectsAreDestroyed) {
  std::thread([] {
    static thread_local DrawsAtTheEnd made_before_the_batch;
    static_cast<void>(&made_before_the_batch);
    sancho::system_random().draw_u64();
  }).join();
  EXPECT_NE(drawn_at_the_end, 0u);
}

#if !defined(SANCHO_IS_SANITIZED)
namespace {
volatile std::sig_atomic_t is_a_child = 0, bad_children = 0;
void fork_here(int) {
  const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (child == 0) {
    is_a_child = 1;
    return;
  }
  int status = 1;
  waitpid(child, &status, 0);
  if (status != 0) bad_children = bad_children + 1;
}

bool draws_nothing_but_zeros() {
  std::array<std::byte, 32> drawn;
  sancho::system_random().fill(drawn);
  return std::ranges::count(drawn, std::byte{0}) > 16;
}
}  // namespace

// The child goes on in the midst of whatever the handler broke in upon, a draw mostly.
TEST(SystemRandom, AChildMadeInASignalsHandlerDrawsNoZeros) {
  constexpr int children = 300;
  struct sigaction usual {}, forks {};
  forks.sa_handler = fork_here;
  sigaction(SIGALRM, &forks, &usual);
  for (int i = 0; i < children; ++i) {
    // At another moment each time.
    const itimerval soon{{0, 0}, {0, 200 + i}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    itimerval left = soon;
    while (left.it_value.tv_usec != 0 || left.it_value.tv_sec != 0) {
      for (int n = 0; n < 200; ++n) {
        bool zeros = draws_nothing_but_zeros();
        if (!is_a_child) continue;
        for (int more = 0; more < 40; ++more) zeros |= draws_nothing_but_zeros();
        _exit(zeros ? 1 : 0);
      }
      getitimer(ITIMER_REAL, &left);
    }
  }
  sigaction(SIGALRM, &usual, nullptr);
  EXPECT_EQ(bad_children, 0);
}
#endif

TEST(RandomSource, AFailureReachesWhoeverDraws) {
  sancho::test::FailingRandom none;
  EXPECT_THROW(none.draw_u64(), sancho::RandomError);
}
