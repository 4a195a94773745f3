#include "sancho/random.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>

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

TEST(RandomSource, AFailureReachesWhoeverDraws) {
  sancho::test::FailingRandom none;
  EXPECT_THROW(none.draw_u64(), sancho::RandomError);
}
