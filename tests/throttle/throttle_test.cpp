#include "sancho/throttle.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "sancho/open_store.hpp"

namespace sancho {
namespace {

using std::chrono::minutes;

// A fresh place for stores that need one; gone at the end.
class Place {
 public:
  Place() {
    std::string name = std::filesystem::temp_directory_path() / "sancho-throttle-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no directory for the test");
    path_ = name;
  }
  ~Place() { std::filesystem::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class ThrottleTest : public testing::TestWithParam<std::string> {
 protected:
  std::string uri() const {
    if (GetParam() == "memory:") return GetParam();
    return GetParam() + place.path() + (GetParam() == "dir:" ? "/sessions" : "/sessions.db");
  }
  Place place;
  ManualClock clock;
  std::unique_ptr<SessionStore> store = open_store(uri(), clock);
  Throttle throttle{*store, {.attempts = 3, .window = minutes(15)}, clock};
};

INSTANTIATE_TEST_SUITE_P(Stores, ThrottleTest, testing::Values("memory:", "dir:", "sqlite:"),
                         [](const auto& p) { return p.param.substr(0, p.param.size() - 1); });

TEST_P(ThrottleTest, AllowsSoManyAttemptsInAWindowAndSaysHowLongToWait) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(throttle.attempt("account/ada"), std::nullopt);
    clock.advance(minutes(1));
  }
  EXPECT_EQ(throttle.attempt("account/ada"), minutes(12));
  clock.advance(minutes(11));
  EXPECT_EQ(throttle.attempt("account/ada"), minutes(1));
  clock.advance(minutes(1));
  EXPECT_EQ(throttle.attempt("account/ada"), std::nullopt);
}

TEST_P(ThrottleTest, ARefusedAttemptDoesNotLengthenTheWait) {
  for (int i = 0; i < 100; ++i) throttle.attempt("account/ada");
  clock.advance(minutes(15));
  EXPECT_EQ(throttle.attempt("account/ada"), std::nullopt);
}

TEST_P(ThrottleTest, NamesAndNameSpacesAreCountedApart) {
  Throttle other(*store, {.attempts = 1, .name_space = "other"}, clock);
  for (int i = 0; i < 3; ++i) throttle.attempt("account/ada");
  EXPECT_NE(throttle.attempt("account/ada"), std::nullopt);
  EXPECT_EQ(throttle.attempt("account/bob"), std::nullopt);
  EXPECT_EQ(other.attempt("account/ada"), std::nullopt);
}

TEST_P(ThrottleTest, AfterASuccessItBeginsAnew) {
  for (int i = 0; i < 3; ++i) throttle.attempt("account/ada");
  throttle.forgive("account/ada");
  throttle.forgive("account/nobody");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.attempt("account/ada"), std::nullopt);
  EXPECT_NE(throttle.attempt("account/ada"), std::nullopt);
}

TEST_P(ThrottleTest, OfManyAttemptsAtOnceNoMoreThanAllowedPass) {
  Throttle wide(*store, {.attempts = 20}, clock);
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) passed += !wide.attempt("address/10.0.0.1");
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 20);
}

TEST_P(ThrottleTest, ACountIsNoSession) {
  throttle.attempt("account/ada");
  EXPECT_EQ(store->scan()->count(Deadline::after(minutes(1))), 0u);
}

TEST_P(ThrottleTest, ACountThatCannotBeReadAllowsNothing) {
  throttle.attempt("account/ada");
  const auto key = SessionKey::of_note("throttle", "account/ada");
  const auto deadline = Deadline::after(minutes(1));
  auto note = store->load(key, deadline).value();
  const auto seen = note.version;
  note.version = seen.after(1);
  note.payload = "many";
  ASSERT_TRUE(std::holds_alternative<Done>(store->commit(key, seen, note, deadline)));
  try {
    throttle.attempt("account/ada");
    ADD_FAILURE() << "it was allowed, or counted";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::corrupt);
  }
}

TEST_P(ThrottleTest, ACountThatIsOverIsSwept) {
  throttle.attempt("account/ada");
  clock.advance(minutes(16));
  EXPECT_EQ(store->sweep({}, Deadline::after(minutes(1))).removed, 1u);
}

TEST(ThrottleOptionsTest, ThatAllowNothingAreRefused) {
  const auto store = open_store("memory:");
  EXPECT_THROW(Throttle(*store, {.attempts = 0}), ConfigError);
  EXPECT_THROW(Throttle(*store, {.window = Duration::zero()}), ConfigError);
}

}  // namespace
}  // namespace sancho
