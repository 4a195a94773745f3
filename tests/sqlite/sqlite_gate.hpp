// A gate on the WAL's file: who writes or syncs it stops there, and meanwhile the
// others come. So groups of writers are made and not hoped for.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {

class Gate {
 public:
  enum class At { nothing, write, sync };
  // Stops the call after the next `skipped` ones of this kind.
  static void close(At at, int skipped = 0) {
    const std::lock_guard lock(mutex);
    closed = at, to_skip = skipped, reached = false;
  }
  // Lets go who stands there, and stops the next.
  static void let_one_pass() {
    const std::lock_guard lock(mutex);
    ++passes, reached = false;
    changed.notify_all();
  }
  static void open() {
    const std::lock_guard lock(mutex);
    closed = At::nothing;
    changed.notify_all();
  }
  static void wait_until_reached() {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [] { return reached; }));
  }
  static void fail_next(At at, int with) {
    const std::lock_guard lock(mutex);
    failing = at, error = with;
  }
  static inline std::atomic<int> syncs = 0;

  static void install() {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs = *real_vfs;
    vfs.zName = "sancho-gate";
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 1);
    closed = failing = At::nothing, syncs = passes = 0;
  }
  static void remove() {
    sqlite3_vfs_unregister(&vfs);
    sqlite3_vfs_register(real_vfs, 1);
  }

 private:
  static int pass(At at) {
    std::unique_lock lock(mutex);
    if (closed == at && to_skip-- <= 0) {
      reached = true;
      changed.notify_all();
      changed.wait(lock, [] { return closed == At::nothing || passes > 0; });
      if (passes > 0) --passes;
    }
    if (failing != at) return SQLITE_OK;
    failing = At::nothing;
    return error;
  }
  static int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
    if (const int rc = pass(At::write)) return rc;
    return real->xWrite(f, bytes, size, at);
  }
  static int sync(sqlite3_file* f, int flags) {
    ++syncs;
    const int rc = real->xSync(f, flags), failed = pass(At::sync);
    return failed ? failed : rc;
  }
  static int open_file(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    const int rc = real_vfs->xOpen(real_vfs, name, f, flags, out);
    if (rc != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return rc;
    const std::lock_guard lock(mutex);
    real = f->pMethods;
    methods = *real;
    methods.xWrite = write;
    methods.xSync = sync;
    f->pMethods = &methods;
    return rc;
  }

  static inline std::mutex mutex;
  static inline std::condition_variable changed;
  static inline At closed = At::nothing, failing = At::nothing;
  static inline int to_skip = 0, passes = 0, error = 0;
  static inline bool reached = false;
  static inline sqlite3_vfs vfs{};
  static inline sqlite3_vfs* real_vfs = nullptr;
  static inline sqlite3_io_methods methods{};
  static inline const sqlite3_io_methods* real = nullptr;
};

// Threads of which one can see that all of them wait.
class Crowd {
 public:
  ~Crowd() { join(); }
  template <class Act>
  void add(Act act) {
    ids_.push_back(std::make_unique<std::atomic<pid_t>>(0));
    threads_.emplace_back([act, id = ids_.back().get()] {
      *id = gettid();
      act();
    });
  }
  void join() {
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  void wait_until_all_wait() const {
    const auto until = soon();
    for (int quiet = 0; quiet < 5; std::this_thread::sleep_for(2ms)) {
      ASSERT_FALSE(until.passed());
      quiet = std::all_of(ids_.begin(), ids_.end(), [](const auto& id) { return asleep(*id); }) ? quiet + 1 : 0;
    }
  }

 private:
  static bool asleep(pid_t id) {
    std::ifstream in("/proc/self/task/" + std::to_string(id) + "/stat");
    const std::string stat(std::istreambuf_iterator<char>(in), {});
    const auto name_ends = stat.rfind(')');
    return id != 0 && name_ends != stat.npos && stat[name_ends + 2] == 'S';
  }
  std::vector<std::unique_ptr<std::atomic<pid_t>>> ids_;
  std::vector<std::thread> threads_;
};

class SqliteGroup : public SqliteStoreTest {
 protected:
  SqliteGroup() { Gate::install(); }
  ~SqliteGroup() override {
    Gate::open();
    Gate::remove();
  }
  static std::string numbered(int i) { return "n" + std::to_string(i); }

  void fill(SessionStore& store, int count) {
    for (int i = 0; i < count; ++i) store.create(key_of(numbered(i)), record(), soon());
    store.create(key_of("first"), record(), soon());
  }
  // A first writer stands at the gate. Those who come meanwhile are one group, which
  // begins when the first has been let go.
  void hold_the_first(SessionStore& store, Gate::At at = Gate::At::sync) {
    Gate::close(at);
    first_ = std::thread([&] { EXPECT_TRUE(done(store.commit(key_of("first"), {7, 1}, record("x", 2), soon()))); });
    Gate::wait_until_reached();
    before_ = Gate::syncs;
  }
  void let_the_first_go(const Crowd& crowd) {
    crowd.wait_until_all_wait();
    Gate::open();
    first_.join();
  }
  // The same, and then the group stands at its own sync.
  void hold_the_group(const Crowd& crowd) {
    crowd.wait_until_all_wait();
    Gate::let_one_pass();
    first_.join();
    Gate::wait_until_reached();
  }
  int syncs() const { return Gate::syncs - before_; }
  static bool done(const CommitAnswer& answer) { return std::holds_alternative<Done>(answer); }
  bool next(SessionStore& store, int i, const std::string& payload = "next") {
    return done(store.commit(key_of(numbered(i)), {7, 1}, record(payload, 2), soon()));
  }

  std::thread first_;
  int before_ = 0;
};

}  // namespace sancho::sqlite_test
