// The races on the asynchronous store, by threads and by processes.
#include <iostream>

#include "../races/races.hpp"
#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "database.hpp"

namespace sancho::races {
namespace {

void hold(const Race& race) {
  const auto uri = postgresql_test::server();
  if (uri.empty()) SANCHO_SKIP("SANCHO_TEST_POSTGRESQL names no server");
  const auto seed = test::seed();
  for (const bool processes : {false, true}) {
    const auto fresh = postgresql_test::with(uri, "namespace=" + postgresql_test::fresh_name());
    const auto open = [&](const Clock&) { return postgresql_test::open_under_test(fresh); };
    // What the stores decide, the blocking one's races try; so fewer rounds do.
    const int rounds = std::max(50, test::rounds() / 10);
    const auto result = run(race, {open, processes}, rounds, seed);
    std::cout << race.name << (processes ? ", processes: " : ", threads: ") << result.rounds << " rounds, "
              << result.overlapped << " of them overlapped; SANCHO_SEED=" << seed << '\n';
    for (std::size_t i = 0; i < result.violations.size() && i < 3; ++i) ADD_FAILURE() << result.violations[i];
    EXPECT_EQ(result.violations.size(), 0u) << "rounds in which a promise was broken";
    EXPECT_GT(3 * result.overlapped, result.rounds) << "a race that does not overlap proves nothing";
  }
}

TEST(AsyncPostgresqlRaces, OverlappingWritersKeepEachOthersWrites) { hold(two_writers()); }
TEST(AsyncPostgresqlRaces, AReaderInFlightUndoesNoWrite) { hold(reader_and_writer()); }
TEST(AsyncPostgresqlRaces, AWriterInFlightNeverRevivesALoggedOutSession) { hold(writer_and_logout()); }
TEST(AsyncPostgresqlRaces, AReaderInFlightNeverRevivesALoggedOutSession) { hold(reader_and_logout()); }
TEST(AsyncPostgresqlRaces, ARequestUnderTheOldIdFindsItsSessionAndOneSuccessorIsLeft) { hold(old_id_and_renewal()); }
TEST(AsyncPostgresqlRaces, AFormTokenHasOneWinnerOfTwo) { hold(one_token(2)); }
TEST(AsyncPostgresqlRaces, AFormTokenHasOneWinnerOfEight) { hold(one_token(8)); }
TEST(AsyncPostgresqlRaces, OfTwoLoginsOneIdentityIsLeft) { hold(two_logins()); }
TEST(AsyncPostgresqlRaces, ALoginBegunBeforeALogoutNeverOutlivesIt) { hold(login_and_logout()); }

}  // namespace
}  // namespace sancho::races
