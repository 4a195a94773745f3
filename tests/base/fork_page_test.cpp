#include "base/fork_page.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>

namespace {
bool is_known() { return sancho::this_process() == getpid() && sancho::this_process() == getpid(); }

// In a child, and in a child of that one.
template <class Fork>
void expect_known_in_children(Fork make) {
  ASSERT_TRUE(is_known());
  const auto child = static_cast<pid_t>(make());
  if (child == 0) {
    if (!is_known()) _exit(1);
    const auto grandchild = static_cast<pid_t>(make());
    if (grandchild == 0) _exit(is_known() ? 0 : 1);
    int status = 1;
    waitpid(grandchild, &status, 0);
    _exit(status == 0 && is_known() ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(is_known());
}
}  // namespace

TEST(ThisProcess, IsKnownInEveryChild) { expect_known_in_children(fork); }

// A `fork` that no library hears of.
TEST(ThisProcess, IsKnownWhereTheKernelAloneKnowsOfTheFork) {
  expect_known_in_children([] { return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); });
}

TEST(PageWipedByFork, IsFullOfZerosInAChildAndStaysWhatItWasInTheParent) {
  auto* const page = static_cast<int*>(sancho::page_wiped_by_fork(sizeof(int)));
  if (!page) GTEST_SKIP() << "this system has no such pages";
  EXPECT_EQ(*page, 0);
  *page = 7;
  const auto child = fork();
  if (child == 0) _exit(*page);
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*page, 7);
}
