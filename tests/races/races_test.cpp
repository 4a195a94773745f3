// Each race on each store, with threads and, where the store allows it, with
// processes.
//
// With SANCHO_RACES_URI set they are played on the store of that URI instead, in
// a namespace that nobody has used: SANCHO_RACES_URI=postgresql://... races_test
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "../stores/fresh_directory.hpp"
#include "../support/results.hpp"
#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "races.hpp"
#include "sancho/open_store.hpp"

namespace sancho::races {
namespace {

// Durable stores flush the disk several times a round. So all rounds are played
// in memory that looks like a disk, by processes, which are what these stores are
// for; threads play one of five, and one of twenty is on the disk itself.
struct Where {
  const char* name;
  std::string uri;  // @ stands for a path in a fresh directory, * for a fresh name
  bool processes = false;
  const char* parent = nullptr;  // of that directory; null: where temporary files go
  int share = 1;                 // plays one round of so many
};
void PrintTo(const Where& where, std::ostream* out) { *out << where.name; }

// Of fewer, half might miss each other by chance.
constexpr int fewest_rounds = 50;
// Of T1 to T4 and of two who submit one form every round is played; of the other
// races, which decide by the same conditional writes, one of so many.
constexpr int seldom = 5;

// For the results: a Galera cluster has the scheme of one server.
std::string store_name(const std::string& uri) {
  const char* given = std::getenv("SANCHO_RACES_NAME");
  return given ? given : uri.substr(0, uri.find(':'));
}

class Races : public testing::TestWithParam<Where> {
 protected:
  void hold(const Race& race, int share = 1) {
    const auto& where = GetParam();
    if (where.parent && access(where.parent, W_OK) != 0) SANCHO_SKIP(where.parent << " is not there");
    const FreshDirectory directory(where.parent);
    std::string uri = where.uri;
    if (const auto at = uri.find(':') + 1; uri[at] == '@') uri.replace(at, 1, directory / "store");
    if (uri.ends_with('*')) uri.replace(uri.size() - 1, 1, "race_" + std::to_string(std::random_device{}()));
    const auto seed = test::seed();
    const auto result = run(race, {[uri](const Clock& clock) { return open_store(uri, clock); }, where.processes},
                            std::max(fewest_rounds, test::rounds() / where.share / share), seed);
    std::cout << race.name << ", " << where.name << ": " << result.rounds << " rounds, " << result.overlapped
              << " of them overlapped, " << result.merged << " merges; SANCHO_SEED=" << seed << '\n';
    test::append_result("races", R"("what":"race","store":")" + store_name(uri) + R"(","race":")" + race.name +
                                     R"(","where":")" + where.name + R"(","rounds":)" + std::to_string(result.rounds) +
                                     R"(,"overlapped":)" + std::to_string(result.overlapped) + R"(,"violations":)" +
                                     std::to_string(result.violations.size()) + R"(,"seed":)" + std::to_string(seed));
    for (std::size_t i = 0; i < result.violations.size() && i < 3; ++i) ADD_FAILURE() << result.violations[i];
    EXPECT_EQ(result.violations.size(), 0u) << "rounds in which a promise was broken";
    EXPECT_GT(3 * result.overlapped, result.rounds) << "a race that does not overlap proves nothing";
  }
};

TEST_P(Races, OverlappingWritersKeepEachOthersWrites) { hold(two_writers()); }
TEST_P(Races, AReaderInFlightUndoesNoWrite) { hold(reader_and_writer()); }
TEST_P(Races, AWriterInFlightNeverRevivesALoggedOutSession) { hold(writer_and_logout()); }
TEST_P(Races, AReaderInFlightNeverRevivesALoggedOutSession) { hold(reader_and_logout()); }
TEST_P(Races, ARequestUnderTheOldIdFindsItsSessionAndOneSuccessorIsLeft) { hold(old_id_and_renewal()); }
TEST_P(Races, AFormTokenHasOneWinnerOfTwo) { hold(one_token(2)); }
TEST_P(Races, AFormTokenHasOneWinnerOfEight) { hold(one_token(8), seldom); }
TEST_P(Races, OfTwoLoginsOneIdentityIsLeft) { hold(two_logins(), seldom); }
TEST_P(Races, ALoginBegunBeforeALogoutNeverOutlivesIt) { hold(login_and_logout(), seldom); }

constexpr const char* memory = "/dev/shm";
std::vector<Where> grounds() {
  if (const char* given = std::getenv("SANCHO_RACES_URI"); given && *given) {
    const std::string uri(given);
    const auto fresh = uri + (uri.find('?') == uri.npos ? "?" : "&") + "namespace=*";
    // Processes are what servers are for; SANCHO_RACES_SHARE is for slow ones.
    const char* given_share = std::getenv("SANCHO_RACES_SHARE");
    const int share = given_share ? std::max(1, std::atoi(given_share)) : 1;
    return {{"UriThreads", fresh, false, nullptr, 10 * share}, {"UriProcesses", fresh, true, nullptr, share}};
  }
  return {
      {"MemoryThreads", "memory:"},
      {"DirectoryThreads", "dir:@", false, memory, 5},
      {"DirectoryProcesses", "dir:@", true, memory},
      {"DirectoryOnDiskThreads", "dir:@", false, nullptr, 20},
      {"DirectoryOnDiskProcesses", "dir:@", true, nullptr, 20},
#ifdef SANCHO_HAVE_SQLITE
      {"SqliteThreads", "sqlite:@", false, memory, 5},
      {"SqliteProcesses", "sqlite:@", true, memory},
      {"SqliteOnDiskThreads", "sqlite:@", false, nullptr, 20},
      {"SqliteOnDiskProcesses", "sqlite:@", true, nullptr, 20},
#endif
#ifdef SANCHO_HAVE_LMDB
      {"LmdbThreads", "lmdb:@", false, memory, 5},
      {"LmdbProcesses", "lmdb:@", true, memory},
      {"LmdbOnDiskThreads", "lmdb:@", false, nullptr, 20},
      {"LmdbOnDiskProcesses", "lmdb:@", true, nullptr, 20},
#endif
  };
}
INSTANTIATE_TEST_SUITE_P(On, Races, testing::ValuesIn(grounds()), [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sancho::races
