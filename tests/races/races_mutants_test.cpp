// A race that cannot be lost proves nothing: here are stores that lose it.
#include <gtest/gtest.h>

#include <thread>

#include "../support/rounds.hpp"
#include "races.hpp"
#include "sancho/stores/memory.hpp"
#include "wrong_stores.hpp"

namespace sancho::races {
namespace {

template <class Wrong>
Result played_on(const Race& race) {
  return run(race, {[](const Clock& clock) { return std::make_shared<Wrong>(open_memory_store(clock)); }}, 200, test::seed());
}

bool tells(const Result& result, const std::string& promise) {
  return std::any_of(result.violations.begin(), result.violations.end(), [&](const std::string& v) { return v.find(promise) != std::string::npos; });
}

TEST(RacesMutants, AStoreThatUpsertsRevivesALoggedOutSession) {
  EXPECT_TRUE(tells(played_on<Upserting>(writer_and_logout()), "what is dead opens nothing"));
}
TEST(RacesMutants, AStoreThatSkipsTheVersionLosesAWrite) {
  const auto result = played_on<VersionBlind>(two_writers());
  EXPECT_TRUE(tells(result, "both writes are kept"));
  EXPECT_TRUE(tells(result, "the counter counts both"));
}
TEST(RacesMutants, AStoreThatSkipsTheVersionLetsAFormBeSubmittedTwice) {
  EXPECT_TRUE(tells(played_on<VersionBlind>(one_token(2)), "a form is submitted once"));
}
TEST(RacesMutants, AStoreThatSkipsTheVersionLogsTwoUsersIn) {
  EXPECT_TRUE(tells(played_on<VersionBlind>(two_logins()), "one identity is decided"));
}
TEST(RacesMutants, AStoreThatChecksBeforeItSetsLosesAWrite) {
  EXPECT_TRUE(tells(played_on<CheckThenSet>(two_writers()), "both writes are kept"));
}
TEST(RacesMutants, TheStoreThatIsRightLosesNothing) {
  EXPECT_EQ(played_on<Decorated>(writer_and_logout()).violations.size(), 0u);
}
TEST(RacesMutants, AViolationIsToldWithItsRoundItsSeedAndItsSchedule) {
  const auto result = run(two_writers(), {[](const Clock& clock) { return std::make_shared<VersionBlind>(open_memory_store(clock)); }}, 50, 4711);
  ASSERT_FALSE(result.violations.empty());
  for (const auto* word : {"T1, round ", "SANCHO_SEED=4711", "player 0", "player 1", "loaded ", "VIOLATED: "})
    EXPECT_NE(result.violations[0].find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace sancho::races
