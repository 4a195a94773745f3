// A fresh directory, a clock that is moved by hand and can be an ambush, and a
// way to the database behind the store's back.
#pragma once

#include <gtest/gtest.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "sancho/stores/lmdb.hpp"

namespace sancho::lmdb_test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(20s); }
inline SessionKey key_of(const std::string& name) { return SessionKey::of_note("lmdb test", name); }

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The kind of the `StoreError` that `act` throws; nothing if it throws none.
inline std::optional<Trouble> trouble_of(const auto& act, std::string* message = nullptr) {
  try {
    act();
  } catch (const StoreError& e) {
    if (message) *message = e.what();
    return e.kind();
  }
  return std::nullopt;
}

// LMDB itself, as another program would use it. Never while this process has a
// store open there: LMDB forbids that.
class Raw {
 public:
  using Table = std::map<std::string, std::string>;

  explicit Raw(const std::filesystem::path& path) {
    std::filesystem::create_directory(path);
    mdb_env_create(&env_);
    mdb_env_set_maxdbs(env_, 64);
    mdb_env_set_mapsize(env_, std::size_t{1} << 30);
    expect(mdb_env_open(env_, path.c_str(), MDB_NOSYNC, 0600));
  }
  ~Raw() { mdb_env_close(env_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  // A null name is the main table.
  void put(const char* table, std::string_view key, std::string_view value) {
    within(0, table, [&](MDB_txn* t, MDB_dbi d) {
      MDB_val k{key.size(), const_cast<char*>(key.data())}, v{value.size(), const_cast<char*>(value.data())};
      return mdb_put(t, d, &k, &v, 0);
    });
  }
  Table all(const char* table) {
    Table found;
    within(MDB_RDONLY, table, [&](MDB_txn* t, MDB_dbi d) {
      MDB_cursor* c = nullptr;
      mdb_cursor_open(t, d, &c);
      MDB_val k, v;
      while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == MDB_SUCCESS)
        found.emplace(std::string(static_cast<char*>(k.mv_data), k.mv_size),
                      std::string(static_cast<char*>(v.mv_data), v.mv_size));
      mdb_cursor_close(c);
      return 0;
    });
    return found;
  }
  // What has keys that begin like this, without that.
  Table part(const std::string& prefix) {
    Table found;
    for (const auto& [key, value] : all(nullptr))
      if (key.starts_with(prefix)) found.emplace(key.substr(prefix.size()), value);
    return found;
  }

 private:
  static void expect(int rc) { EXPECT_EQ(rc, 0) << mdb_strerror(rc); }
  void within(unsigned flags, const char* table, const auto& act) {
    MDB_txn* t = nullptr;
    MDB_dbi d = 0;
    expect(mdb_txn_begin(env_, nullptr, flags, &t));
    expect(mdb_dbi_open(t, table, flags ? 0 : MDB_CREATE, &d));
    expect(act(t, d));
    expect(mdb_txn_commit(t));
  }
  MDB_env* env_ = nullptr;
};

// Looked at in the middle of most transactions, so whatever is to happen there
// can be hung to it.
class AmbushClock final : public Clock {
 public:
  Time now() const override {
    if (ambush) std::exchange(ambush, nullptr)();
    return time;
  }
  void advance(Duration by) { time += by; }
  Time time = ManualClock().now();
  mutable std::function<void()> ambush;  // once
};

class LmdbStoreTest : public testing::Test {
 protected:
  LmdbStoreTest() {
    // Where fsync costs nothing: only a loss of power could tell the difference.
    const std::filesystem::path memory = "/dev/shm";
    std::string pattern =
        (access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path()) / "sancho-lmdb-XXXXXX";
    directory = mkdtemp(pattern.data());
    path = directory / "sessions";
  }
  ~LmdbStoreTest() override { std::filesystem::remove_all(directory); }

  // An empty database of the schema before this one.
  void make_of_many_trees() const { Raw(path).put(nullptr, "sancho", "1"); }
  std::unique_ptr<SessionStore> open(const LmdbOptions& options = {}) { return open_lmdb_store(path, options, clock); }

  Record record(std::string payload = "payload", std::uint64_t counter = 1) const {
    return {.version = {7, counter},
            .state = State::live,
            .created = clock.time,
            .accessed = clock.time,
            .idle = 30min,
            .ends = clock.time + 12h,
            .subject = {},
            .handle = {},
            .payload = std::move(payload)};
  }
  Record ended(std::string payload = {}) const {
    auto r = record(std::move(payload), 2);
    r.state = State::ended;
    r.ends = clock.time + 5min;
    return r;
  }

  // Every session has its place in the queue and its entry under its subject,
  // and nothing else is in either. No store may be open.
  void expect_whole() {
    Raw raw(path);
    const auto sessions = raw.part("s/"), due = raw.part("d/"), subjects = raw.part("u/");
    std::size_t with_subject = 0;
    for (const auto& [key, value] : sessions) {
      EXPECT_TRUE(due.contains(value.substr(8, 8) + key));
      with_subject += value.substr(82, 4) != std::string(4, '\0');  // how long the subject is
    }
    EXPECT_EQ(due.size(), sessions.size() + raw.part("e/").size());
    EXPECT_EQ(subjects.size(), with_subject);
    for (const auto& [key, value] : subjects) EXPECT_TRUE(sessions.contains(key.substr(32)));
  }

  // Runs `act` in a process of its own, whose end is its exit code.
  template <class Act>
  static pid_t spawn(Act act) {
    const auto child = fork();
    if (child != 0) return child;
    try {
      act();
      _exit(0);
    } catch (const std::exception& e) {
      fprintf(stderr, "child: %s\n", e.what());
      _exit(1);
    }
  }
  static void expect_success(pid_t child) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }

  std::filesystem::path directory, path;
  AmbushClock clock;
};

}  // namespace sancho::lmdb_test
