// The gate: what other processes do to who is before it.
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "lmdb_fixture.hpp"
#include "stores/lmdb/gate.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbGate : public LmdbStoreTest {
 protected:
  LmdbGate() { std::ofstream(path_of_gate) << ""; }

  // A process that passes again and again and is hardly ever outside; counts.
  pid_t busy(std::atomic<int>& passes) {
    return spawn([&] {
      lmdb::Gate gate(path_of_gate, "test");
      for (;;) {
        const lmdb::Gate::Pass pass(gate, lmdb::Gate::Lane::write, soon());
        ++passes;
        for (const auto until = Deadline::after(1ms); !until.passed();) {}
      }
    });
  }

  // A process that sends itself a signal inside.
  pid_t struck_inside(int signal) {
    return last_child = spawn([&] {
      lmdb::Gate gate(path_of_gate, "test");
      const lmdb::Gate::Pass pass(gate, lmdb::Gate::Lane::write, soon());
      raise(signal);
    });
  }

  pid_t last_child = 0;
  const std::string path_of_gate = (directory / "gate").native();
};

// Shared with children of this process.
struct Shared {
  Shared() : place(mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), count(*new (place) std::atomic<int>(0)) {}
  ~Shared() { munmap(place, sizeof count); }
  void* place;
  std::atomic<int>& count;
};

// Seven at most go before somebody who waits already, and one that has begun. Half of
// the turns may be worse: who is about to queue may be held up by anything.
TEST_F(LmdbGate, WhoNeverPausesIsPassedByWhoWaits) {
  Shared passes;
  const auto child = busy(passes.count);
  while (passes.count == 0) usleep(1000);
  lmdb::Gate gate(path_of_gate, "test");
  std::vector<int> before_us;
  for (int i = 0; i < 21; ++i) {
    const int began = passes.count;
    {
      const lmdb::Gate::Pass pass(gate, lmdb::Gate::Lane::write, soon());
      before_us.push_back(passes.count - began);
    }
    usleep(3000);  // others go on
  }
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself";
  std::nth_element(before_us.begin(), before_us.begin() + 10, before_us.end());
  EXPECT_LE(before_us[10], 9);
}

TEST_F(LmdbGate, WhoDiesInsideHoldsNobodyUp) {
  int status = 0;
  ASSERT_EQ(waitpid(struck_inside(SIGKILL), &status, 0), last_child);
  lmdb::Gate gate(path_of_gate, "test");
  EXPECT_NO_THROW(lmdb::Gate::Pass(gate, lmdb::Gate::Lane::write, Deadline::after(2s)));
}

TEST_F(LmdbGate, WhoStopsInsideHoldsOthersUpUntilTheirDeadline) {
  int status = 0;
  ASSERT_EQ(waitpid(struck_inside(SIGSTOP), &status, WUNTRACED), last_child);
  lmdb::Gate gate(path_of_gate, "test");
  EXPECT_EQ(trouble_of([&] { lmdb::Gate::Pass(gate, lmdb::Gate::Lane::write, Deadline::after(200ms)); }), Trouble::unavailable);
  kill(last_child, SIGKILL);
  ASSERT_EQ(waitpid(last_child, &status, 0), last_child);
  EXPECT_NO_THROW(lmdb::Gate::Pass(gate, lmdb::Gate::Lane::write, soon()));
}

}  // namespace
}  // namespace sancho::lmdb_test
