// Sweepers in several processes, over one SQLite file.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <map>
#include <thread>
#include <vector>

#include "processes.hpp"
#include "sancho/open_store.hpp"
#include "sancho/sweeper.hpp"

namespace sancho {
namespace {

using namespace std::chrono_literals;
using Did = SweepStep::Did;

Deadline in_a_minute() { return Deadline::after(1min); }

class SweeperProcesses : public testing::Test {
 protected:
  SweeperProcesses() {
    std::string pattern = std::filesystem::temp_directory_path() / "sancho-sweeper-XXXXXX";
    directory = ::mkdtemp(pattern.data());
  }
  ~SweeperProcesses() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<SessionStore> open() {
    return open_store("sqlite:" + (directory / "s.db").string() + "?synchronous=normal");
  }
  // Sessions that have a moment yet, and no more.
  void put(int n) {
    const auto store = open();
    const auto now = system_clock().now();
    for (int i = 0; i < n; ++i)
      store->create(SessionKey::of("", SessionId::draw(system_random())),
                    {.version = {system_random().draw_u64(), 1},
                     .created = now,
                     .accessed = now,
                     .idle = 1ms,
                     .ends = now + 1h,
                     .handle = Handle::draw(system_random())},
                    in_a_minute());
  }

  const SweeperOptions options{.interval = 20ms, .budget = 10, .pause = 0ms, .lease = 1s, .store_timeout = 500ms};
  std::filesystem::path directory;
};

// What a child says of one step: the times at which it held the lease, and the
// handles it was told.
struct Said {
  int child;
  std::int64_t from, until;     // of a step that swept, in ms since 1970
  std::array<char, 16> handle;  // or a handle
};

std::int64_t ms_now() { return system_clock().now().time_since_epoch().count(); }

TEST_F(SweeperProcesses, OneHoldsTheLeaseAtATimeAndEachExpiryIsReportedOnceThoughHoldersAreKilled) {
  constexpr int sessions = 600, crew = 4;
  put(sessions);
  Pipe pipe;
  const auto work = [&](int number) {
    pipe.close_reading();
    const auto store = open();
    Sweeper sweeper(
        *store,
        [&](const Handle& handle) {
          Said said{.child = number, .from = 0, .until = 0, .handle = {}};
          std::copy(handle.text().begin(), handle.text().end(), said.handle.begin());
          pipe.send(said);
        },
        options);
    for (const auto until = in_a_minute(); !until.passed();) {
      const auto from = ms_now();
      const auto step = sweeper.step();
      if (step.did == Did::swept) pipe.send(Said{.child = number, .from = from, .until = ms_now(), .handle = {}});
      std::this_thread::sleep_for(step.next);
    }
  };
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < crew; ++i) children.push_back(std::make_unique<Child>([&, i] { work(i); }));

  pipe.close_writing();

  // Whoever is first seen to hold the lease is killed in the midst of it; then
  // the next one; the last may finish. A session that was removed by one that is
  // dead before it could say so is the only kind not heard of.
  std::map<std::string, int> reported;
  std::vector<Said> held;
  std::vector<int> killed;
  std::size_t steps_of_holder = 0;
  for (Said said; pipe.receive(said);) {
    if (said.until == 0) {
      ++reported[std::string(said.handle.data(), said.handle.size())];
      continue;
    }
    if (!killed.empty() && said.child == killed.back()) continue;  // was on its way
    if (!held.empty() && held.back().child != said.child) steps_of_holder = 0;
    held.push_back(said);
    ++steps_of_holder;
    if (killed.size() < 2 && steps_of_holder == 5) {
      children[static_cast<std::size_t>(said.child)]->kill();
      killed.push_back(said.child);
      steps_of_holder = 0;
    }
    const bool all = reported.size() + 2 * options.budget >= sessions;
    if (killed.size() == 2 && all && steps_of_holder > 5) break;
  }
  for (auto& child : children)
    if (std::find(killed.begin(), killed.end(), &child - children.data()) == killed.end()) child->kill();

  for (const auto& [handle, times] : reported) EXPECT_EQ(times, 1) << handle;
  EXPECT_GE(reported.size(), sessions - 2 * options.budget);
  // Three held it, one after the other and never two at once: who was succeeded
  // was so after the lease's time, counted from its last step.
  std::vector<int> order;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (order.empty() || order.back() != held[i].child) order.push_back(held[i].child);
    if (i == 0 || held[i].child == held[i - 1].child) continue;
    EXPECT_GE(held[i].until - held[i - 1].from, options.lease.count());
  }
  EXPECT_GE(order.size(), 3u);
}

}  // namespace
}  // namespace sancho
