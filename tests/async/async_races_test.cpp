// The races on a coroutine store that is waited for.
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include <iostream>

#include "../races/races.hpp"
#include "../support/rounds.hpp"
#include "sancho/async/blocking.hpp"
#include "sancho/async/on_executor.hpp"
#include "waiting_store.hpp"

namespace sancho::races {
namespace {

void hold(const Race& race) {
  boost::asio::thread_pool loop(1), threads(2);
  const auto open = [&](const Clock& clock) {
    return blocking(on_executor(std::make_shared<test::WaitingStore>(clock), threads.get_executor()), loop.get_executor());
  };
  const auto seed = test::seed();
  const auto result = run(race, {open, false}, std::max(50, test::rounds() / 10), seed);
  std::cout << race.name << ": " << result.rounds << " rounds, " << result.overlapped
            << " of them overlapped; SANCHO_SEED=" << seed << '\n';
  for (std::size_t i = 0; i < result.violations.size() && i < 3; ++i) ADD_FAILURE() << result.violations[i];
  EXPECT_EQ(result.violations.size(), 0u);
  EXPECT_GT(3 * result.overlapped, result.rounds) << "a race that does not overlap proves nothing";
}

TEST(AsyncRaces, OverlappingWritersKeepEachOthersWrites) { hold(two_writers()); }
TEST(AsyncRaces, AWriterInFlightNeverRevivesALoggedOutSession) { hold(writer_and_logout()); }
TEST(AsyncRaces, ARequestUnderTheOldIdFindsItsSessionAndOneSuccessorIsLeft) { hold(old_id_and_renewal()); }
TEST(AsyncRaces, AFormTokenHasOneWinnerOfEight) { hold(one_token(8)); }
TEST(AsyncRaces, OfTwoLoginsOneIdentityIsLeft) { hold(two_logins()); }

}  // namespace
}  // namespace sancho::races
