// The races on the asynchronous store, by threads and by processes. Which server
// says SANCHO_TEST_REDIS or SANCHO_TEST_CLUSTER.
#include <iostream>

#include "../races/races.hpp"
#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "place.hpp"

namespace sancho::races {
namespace {

const char* variable() { return test::server_uri("REDIS").empty() ? "CLUSTER" : "REDIS"; }

void hold(const Race& race) {
  if (test::server_uri(variable()).empty()) SANCHO_SKIP("there is no server: run it by tests/servers/with_server.py");
  const auto seed = test::seed();
  for (const bool processes : {false, true}) {
    auto options = test::redis_options(variable());
    options.name_space = test::fresh_namespace();
    const auto open = [&](const Clock&) { return test::open_redis(options); };
    // What the store decides, the blocking one's races try; so fewer rounds do.
    const int rounds = std::max(100, test::rounds() / 10);
    const auto result = run(race, {open, processes}, rounds, seed);
    std::cout << race.name << (processes ? ", processes: " : ", threads: ") << result.rounds << " rounds, "
              << result.overlapped << " of them overlapped; SANCHO_SEED=" << seed << '\n';
    for (std::size_t i = 0; i < result.violations.size() && i < 3; ++i) ADD_FAILURE() << result.violations[i];
    EXPECT_EQ(result.violations.size(), 0u) << "rounds in which a promise was broken";
    EXPECT_GT(3 * result.overlapped, result.rounds) << "a race that does not overlap proves nothing";
  }
}

TEST(AsyncRedisRaces, OverlappingWritersKeepEachOthersWrites) { hold(two_writers()); }
TEST(AsyncRedisRaces, AReaderInFlightUndoesNoWrite) { hold(reader_and_writer()); }
TEST(AsyncRedisRaces, AWriterInFlightNeverRevivesALoggedOutSession) { hold(writer_and_logout()); }
TEST(AsyncRedisRaces, AReaderInFlightNeverRevivesALoggedOutSession) { hold(reader_and_logout()); }
TEST(AsyncRedisRaces, ARequestUnderTheOldIdFindsItsSessionAndOneSuccessorIsLeft) { hold(old_id_and_renewal()); }
TEST(AsyncRedisRaces, AFormTokenHasOneWinnerOfTwo) { hold(one_token(2)); }
TEST(AsyncRedisRaces, AFormTokenHasOneWinnerOfEight) { hold(one_token(8)); }
TEST(AsyncRedisRaces, OfTwoLoginsOneIdentityIsLeft) { hold(two_logins()); }
TEST(AsyncRedisRaces, ALoginBegunBeforeALogoutNeverOutlivesIt) { hold(login_and_logout()); }

}  // namespace
}  // namespace sancho::races
