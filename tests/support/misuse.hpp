// Tests in which rules are broken: nothing is aborted, and what was said is kept.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "sancho/misuse.hpp"

namespace sancho::test {

// As long as it lives, it hears of every broken rule. One at a time.
class Told {
 public:
  Told() {
    now_ = this;
    before_ = set_misuse_handler([](const Misuse& misuse) noexcept { now_->add(misuse); });
  }
  ~Told() {
    set_misuse_handler(before_);
    now_ = nullptr;
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  // Those that were broken since it was last asked, in order.
  std::vector<Rule> rules() {
    const std::lock_guard lock(mutex_);
    return std::exchange(rules_, {});
  }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void add(const Misuse& misuse) {
    const std::lock_guard lock(mutex_);
    rules_.push_back(misuse.rule);
    last_ = misuse.message;
  }

  static inline Told* now_ = nullptr;
  MisuseHandler before_;
  std::mutex mutex_;
  std::vector<Rule> rules_;
  std::string last_;
};

}  // namespace sancho::test

// Where the library was built without checks, there is nothing to be told.
#define SANCHO_NEEDS_CHECKS() \
  if (!sancho::misuse_is_checked()) GTEST_SKIP() << "the library was built without checks (SANCHO_CHECKS)"
