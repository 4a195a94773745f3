#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "mutants.hpp"

namespace sancho {
namespace {

using conformance::Outcome;

const conformance::Fact& fact_named(const std::string& name) {
  const auto all = conformance::facts();
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& fact) { return fact.name == name; });
  if (at == all.end()) throw std::runtime_error("there is no fact " + name);
  return *at;
}

TEST(ConformanceSuite, FindsNothingWrongWithAHealthyStore) {
  EXPECT_EQ(conformance::broken_facts(healthy()), std::vector<std::string>{});
}

TEST(ConformanceSuite, SkipsNothingOfAStoreThatClaimsEverything) {
  for (const auto& fact : conformance::facts()) {
    const bool wants_a_lack = fact.need == conformance::Need::no_epochs || fact.need == conformance::Need::no_scan;
    EXPECT_EQ(check(fact, healthy()).outcome == Outcome::skipped, wants_a_lack) << fact.name;
  }
}

TEST(ConformanceSuite, AsksAStoreWithoutPowersWhatItDoesWithoutThem) {
  EXPECT_EQ(conformance::broken_facts(without_powers()), std::vector<std::string>{});
  for (const auto& fact : conformance::facts()) {
    const bool wants_a_lack = fact.need == conformance::Need::no_epochs || fact.need == conformance::Need::no_scan;
    if (!wants_a_lack) continue;
    EXPECT_EQ(check(fact, without_powers()).outcome, Outcome::kept) << fact.name;
  }
}

TEST(ConformanceSuite, NamesTheClauseThatAWrongStoreBreaks) {
  for (const auto& mutant : mutants()) {
    // A race may be won by chance, on a busy machine: not for ever.
    auto outcome = Outcome::kept;
    for (int tries = 0; tries < 10 && outcome != Outcome::broken; ++tries) outcome = check(fact_named(mutant.fact), mutant.factory).outcome;
    EXPECT_EQ(outcome, Outcome::broken) << mutant.fact << " did not notice a store where " << mutant.wrong;
  }
}

TEST(ConformanceSuite, HasAWrongStoreForEveryFact) {
  std::set<std::string, std::less<>> noticed;
  for (const auto& mutant : mutants()) noticed.insert(mutant.fact);
  for (const auto& fact : conformance::facts()) EXPECT_TRUE(noticed.contains(fact.name)) << fact.name << " has never been seen to fail";
}

TEST(ConformanceSuite, CallsAStoreThatThrowsBroken) {
  const conformance::Factory throwing = [] {
    return conformance::Venue{.open = [](const Clock&) -> std::unique_ptr<SessionStore> { throw std::runtime_error("no such place"); }};
  };
  const auto verdict = check(fact_named("CommitNeverCreates"), throwing);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.why, "no such place");
}

}  // namespace
}  // namespace sancho
