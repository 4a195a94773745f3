// Each race on each store, with threads and, where the store allows it, with
// processes.
#include <gtest/gtest.h>

#include <unistd.h>

#include <iostream>

#include "../stores/fresh_directory.hpp"
#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "races.hpp"
#include "sancho/open_store.hpp"

namespace sancho::races {
namespace {

// Durable stores flush the disk several times a round. So all rounds are played
// in memory that looks like a disk, and one of ten on the disk itself.
struct Where {
  const char* name;
  const char* uri;  // @ stands for a path in a fresh directory
  bool processes = false;
  const char* parent = nullptr;  // of that directory; null: where temporary files go
  int share = 1;                 // plays one round of so many
};
void PrintTo(const Where& where, std::ostream* out) { *out << where.name; }

class Races : public testing::TestWithParam<Where> {
 protected:
  void hold(const Race& race) {
    const auto& where = GetParam();
    if (where.parent && access(where.parent, W_OK) != 0) SANCHO_SKIP(where.parent << " is not there");
    const FreshDirectory directory(where.parent);
    std::string uri = where.uri;
    if (const auto at = uri.find('@'); at != std::string::npos) uri.replace(at, 1, directory / "store");
    const auto seed = test::seed();
    const auto result = run(race, {[uri](const Clock& clock) { return open_store(uri, clock); }, where.processes},
                            std::max(1, test::rounds() / where.share), seed);
    std::cout << race.name << ", " << where.name << ": " << result.rounds << " rounds, " << result.overlapped
              << " of them overlapped, " << result.merged << " merges; SANCHO_SEED=" << seed << '\n';
    for (std::size_t i = 0; i < result.violations.size() && i < 3; ++i) ADD_FAILURE() << result.violations[i];
    EXPECT_EQ(result.violations.size(), 0u) << "rounds in which a promise was broken";
    EXPECT_GT(2 * result.overlapped, result.rounds) << "a race that does not overlap proves nothing";
  }
};

TEST_P(Races, OverlappingWritersKeepEachOthersWrites) { hold(two_writers()); }
TEST_P(Races, AReaderInFlightUndoesNoWrite) { hold(reader_and_writer()); }
TEST_P(Races, AWriterInFlightNeverRevivesALoggedOutSession) { hold(writer_and_logout()); }
TEST_P(Races, AReaderInFlightNeverRevivesALoggedOutSession) { hold(reader_and_logout()); }
TEST_P(Races, ARequestUnderTheOldIdFindsItsSessionAndOneSuccessorIsLeft) { hold(old_id_and_renewal()); }
TEST_P(Races, AFormTokenHasOneWinnerOfTwo) { hold(one_token(2)); }
TEST_P(Races, AFormTokenHasOneWinnerOfEight) { hold(one_token(8)); }
TEST_P(Races, OfTwoLoginsOneIdentityIsLeft) { hold(two_logins()); }
TEST_P(Races, ALoginBegunBeforeALogoutNeverOutlivesIt) { hold(login_and_logout()); }

constexpr const char* memory = "/dev/shm";
const Where grounds[] = {
    {"MemoryThreads", "memory:"},
    {"DirectoryThreads", "dir:@", false, memory},
    {"DirectoryProcesses", "dir:@", true, memory},
    {"DirectoryOnDiskThreads", "dir:@", false, nullptr, 10},
    {"DirectoryOnDiskProcesses", "dir:@", true, nullptr, 10},
#ifdef SANCHO_HAVE_SQLITE
    {"SqliteThreads", "sqlite:@", false, memory},
    {"SqliteProcesses", "sqlite:@", true, memory},
    {"SqliteOnDiskThreads", "sqlite:@", false, nullptr, 10},
    {"SqliteOnDiskProcesses", "sqlite:@", true, nullptr, 10},
#endif
};
INSTANTIATE_TEST_SUITE_P(On, Races, testing::ValuesIn(grounds), [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sancho::races
