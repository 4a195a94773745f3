// What cannot be tried on this machine is skipped with a reason; where CI=true,
// it is a failure, so that no proof goes missing unseen.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace sancho::test {

inline bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci && std::string_view(ci) == "true";
}

}  // namespace sancho::test

#define SANCHO_SKIP(why)                                   \
  do {                                                     \
    if (sancho::test::in_ci()) FAIL() << "in CI: " << why; \
    GTEST_SKIP() << why;                                   \
  } while (false)
