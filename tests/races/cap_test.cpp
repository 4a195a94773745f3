// Fifty threads in two processes log one user in, under a cap of three: at no
// moment more than three sessions are there, and at the end exactly three.
//
// As races_test does, it takes another store from SANCHO_RACES_URI.
#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "../stores/fresh_directory.hpp"
#include "../support/results.hpp"
#include "sancho/manager.hpp"
#include "sancho/open_store.hpp"

namespace sancho::races {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t cap = 3;
constexpr int threads_each = 25;
constexpr int logins_each = 2;

Policy capped(AtCap at_cap) {
  Policy policy;
  policy.cap = SessionCap{cap, at_cap};
  policy.store_timeout = 60s;  // fifty of them stand in line
  return policy;
}

// What came of a process's logins. Small enough for one write to a pipe.
struct Told {
  int won = 0, refused = 0, other = 0;
  char trouble[200] = {};
};

Told log_in_many(const std::string& uri, AtCap at_cap) {
  SessionManager<> sessions(open_store(uri), capped(at_cap));
  std::atomic<int> won = 0, refused = 0, other = 0;
  Told told;
  std::atomic<bool> first = true;
  const auto log_in = [&] {
    for (int n = 0; n < logins_each; ++n) try {
        auto scope = sessions.start_request({});
        scope->set_user("ada");
        scope.finish();
        const auto outcome = scope.login_outcome();
        ++(outcome == LoginOutcome::won ? won : outcome == LoginOutcome::at_cap ? refused : other);
      } catch (const std::exception& e) {
        ++other;
        if (first.exchange(false)) std::string_view(e.what()).copy(told.trouble, sizeof told.trouble - 1);
      }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_each; ++i) threads.emplace_back(log_in);
  }
  told.won = won, told.refused = refused, told.other = other;
  return told;
}

struct Child {
  int go, told;
  pid_t process;
};

// Waits for a byte, logs in, tells, and exits.
Child child_that_logs_in(const std::string& uri, AtCap at_cap) {
  int go[2], told[2];
  if (pipe(go) != 0 || pipe(told) != 0) throw std::runtime_error("no pipe");
  const auto process = fork();
  if (process < 0) throw std::runtime_error("no process");
  if (process > 0) {
    close(go[0]), close(told[1]);
    return {go[1], told[0], process};
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Told said;
  try {
    char byte;
    if (read(go[0], &byte, 1) == 1) said = log_in_many(uri, at_cap);
  } catch (const std::exception& e) {
    said.other = threads_each * logins_each;
    std::string_view(e.what()).copy(said.trouble, sizeof said.trouble - 1);
  }
  _exit(write(told[1], &said, sizeof said) == sizeof said ? 0 : 1);
}

std::size_t live(SessionStore& store) {
  std::set<Handle> handles;
  for (const auto& each : store.subjects()->find_by_subject("ada", Deadline::after(60s)))
    if (each.record.state == State::live) handles.insert(each.record.handle);
  return handles.size();
}

struct Where {
  const char* name;
  std::string uri;  // as in races_test.cpp
};
void PrintTo(const Where& where, std::ostream* out) { *out << where.name; }

std::vector<Where> grounds() {
  if (const char* given = std::getenv("SANCHO_RACES_URI"); given && *given) {
    const std::string uri(given);
    return {{"Uri", uri + (uri.find('?') == uri.npos ? "?" : "&") + "namespace=*"}};
  }
  return {
#ifdef SANCHO_HAVE_SQLITE
      {"Sqlite", "sqlite:@"},
#endif
#ifdef SANCHO_HAVE_LMDB
      {"Lmdb", "lmdb:@"},
#endif
  };
}

class CapOverProcesses : public testing::TestWithParam<Where> {
 protected:
  void hold(const char* race, AtCap at_cap) {
    const FreshDirectory directory;
    std::string uri = GetParam().uri;
    if (const auto at = uri.find(':') + 1; uri[at] == '@') uri.replace(at, 1, directory / "store");
    if (uri.ends_with('*')) uri.replace(uri.size() - 1, 1, "cap_" + std::to_string(std::random_device{}()));

    // Forked before there is a store that a child could inherit.
    std::vector<Child> children;
    for (int i = 0; i < 2; ++i) children.push_back(child_that_logs_in(uri, at_cap));
    const auto store = open_store(uri);
    if (!store->epochs()) {
      // They wait to be told, each with what the other would be told through.
      for (const auto& child : children) kill(child.process, SIGKILL), waitpid(child.process, nullptr, 0);
      GTEST_SKIP() << store->name() << " has no caps";
    }
    for (const auto& child : children) ASSERT_EQ(write(child.go, "!", 1), 1);

    std::atomic<bool> over = false;
    std::size_t most = 0, looks = 0;
    std::thread watch([&] {
      for (; !over; ++looks) most = std::max(most, live(*store));
    });
    int won = 0, refused = 0, other = 0;
    for (const auto& child : children) {
      Told told;
      EXPECT_EQ(read(child.told, &told, sizeof told), static_cast<ssize_t>(sizeof told));
      close(child.go), close(child.told);
      waitpid(child.process, nullptr, 0);
      won += told.won, refused += told.refused, other += told.other;
      EXPECT_STREQ(told.trouble, "");
    }
    over = true;
    watch.join();

    const auto at_the_end = live(*store);
    std::cout << race << ", " << GetParam().name << ": " << won << " logged in, " << refused << " refused, looked " << looks
              << " times\n";
    EXPECT_EQ(at_the_end, cap);
    EXPECT_LE(most, cap);
    EXPECT_EQ(other, 0) << "logins that neither won nor were refused";
    if (at_cap == AtCap::refuse) EXPECT_EQ(won, static_cast<int>(cap));
    else EXPECT_EQ(refused, 0);
    const char* given = std::getenv("SANCHO_RACES_NAME");
    test::append_result("races", R"("what":"race","store":")" + (given ? std::string(given) : uri.substr(0, uri.find(':'))) +
                                     R"(","race":")" + race + R"(","where":")" + GetParam().name + R"(","rounds":)" +
                                     std::to_string(2 * threads_each * logins_each) + R"(,"violations":)" +
                                     std::to_string(at_the_end != cap || most > cap || other != 0));
  }
};

TEST_P(CapOverProcesses, ExactlyThreeAreLetIn) { hold("cap, refuse", AtCap::refuse); }
TEST_P(CapOverProcesses, ExactlyThreeAreLeftWhenTheOldestGiveWay) { hold("cap, evict the oldest", AtCap::evict_oldest); }
TEST_P(CapOverProcesses, ExactlyThreeAreLeftWhenTheIdlestGiveWay) { hold("cap, evict the idlest", AtCap::evict_idlest); }

INSTANTIATE_TEST_SUITE_P(On, CapOverProcesses, testing::ValuesIn(grounds()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sancho::races
