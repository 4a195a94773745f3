// What a reader may see, wherever the system takes the processor from it.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>
#include <random>
#include <thread>

#include "lmdb_fixture.hpp"
#include "stores/lmdb/registry.hpp"
#include "stores/lmdb/schema.hpp"
#include "stores/lmdb/transaction.hpp"

namespace sancho::lmdb_test {
namespace {

// Strikes the thread it is made in, which then sleeps until two transactions have
// begun and ended.
class Sleeper {
 public:
  Sleeper() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      const timespec nap{0, 20'000};
      // One may have ended just now and not been counted.
      for (const int until = commits + 3; commits < until;) nanosleep(&nap, nullptr);
      ++strikes;
    };
    sigaction(SIGRTMIN, &action, &before_);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    timer_create(CLOCK_MONOTONIC, &event, &timer_);
  }
  ~Sleeper() {
    timer_delete(timer_);
    sigaction(SIGRTMIN, &before_, nullptr);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void strike_in(long nanoseconds) {
    const itimerspec once{{}, {0, nanoseconds}};
    timer_settime(timer_, 0, &once, nullptr);
  }

  static std::atomic<int> commits, strikes;

 private:
  timer_t timer_{};
  struct sigaction before_ {};
};
std::atomic<int> Sleeper::commits, Sleeper::strikes;

// Each transaction writes its own number, so that a view tells whose it is.
class LmdbReads : public LmdbStoreTest {
 protected:
  lmdb::Share environment{path, {}};
  const lmdb::Table table = lmdb::set_up(*environment, "", false, soon()).sessions;

  void write() {
    lmdb::Writing t(*environment, soon(), "writing", lmdb::Room::take);
    t.put(table, "last", std::to_string(mdb_txn_id(t.raw())));
    t.commit();
  }
  // Until it goes.
  std::jthread writer() {
    write();
    return std::jthread([this](const std::stop_token& over) {
      for (; !over.stop_requested(); ++Sleeper::commits) write();
    });
  }
  void expect_own() {
    const lmdb::Reading t(*environment, soon(), "reading");
    ASSERT_EQ(t.get(table, "last"), std::to_string(mdb_txn_id(t.raw())));
  }
};

TEST_F(LmdbReads, AreOfOneTransactionWhereverTheThreadSleeps) {
  const auto writing = writer();
  Sleeper sleeper;
  std::minstd_rand random(4);
  for (int round = 0; round < 2000; ++round) {
    const int before = Sleeper::strikes;
    sleeper.strike_in(20'000 + static_cast<long>(random() % 5'000));
    while (Sleeper::strikes == before) ASSERT_NO_FATAL_FAILURE(expect_own()) << "in round " << round;
  }
}

struct Child {
  ~Child() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  pid_t pid;
};

// Another process has all of them but one.
TEST_F(LmdbReads, NeedNoMoreThanOneOfTheReadersThatThereIsRoomFor) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const Child other{spawn([&] {
    MDB_env* env = nullptr;
    MDB_txn *reader = nullptr, *last = nullptr;
    mdb_env_create(&env);
    if (mdb_env_open(env, path.c_str(), MDB_NOTLS, 0600) != MDB_SUCCESS) throw std::runtime_error("it cannot be opened");
    int readers = 0;
    for (; mdb_txn_begin(env, nullptr, MDB_RDONLY, &reader) == MDB_SUCCESS; ++readers) last = reader;
    mdb_txn_abort(last);
    if (readers > 500 && ::write(ready[1], "", 1) == 1) pause();
  })};
  close(ready[1]);
  char sign = 1;
  ASSERT_EQ(read(ready[0], &sign, 1), 1);
  close(ready[0]);
  const auto writing = writer();
  for (const int until = Sleeper::commits + 500; Sleeper::commits < until;) ASSERT_NO_FATAL_FAILURE(expect_own());
}

}  // namespace
}  // namespace sancho::lmdb_test
