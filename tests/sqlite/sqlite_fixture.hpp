// A fresh directory, a clock that is moved by hand, and a way to the database
// behind the store's back.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "sancho/stores/sqlite.hpp"

namespace sancho::sqlite_test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(20s); }
inline SessionKey key_of(const std::string& name) { return SessionKey::of_note("sqlite test", name); }

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The kind of the `StoreError` that `act` throws; a failure if it throws none.
inline std::optional<Trouble> trouble_of(const auto& act, std::string* message = nullptr) {
  try {
    act();
  } catch (const StoreError& e) {
    if (message) *message = e.what();
    return e.kind();
  }
  return std::nullopt;
}

// SQLite itself, as another program would use it.
class Raw {
 public:
  explicit Raw(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) ADD_FAILURE() << "cannot open " << path;
    sqlite3_busy_timeout(db_, 5000);
  }
  ~Raw() { sqlite3_close(db_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void run(const std::string& sql) {
    char* error = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK) ADD_FAILURE() << sql << ": " << error;
    sqlite3_free(error);
  }
  // The first column of the first row.
  std::string ask(const std::string& sql) {
    sqlite3_stmt* s = nullptr;
    std::string answer = "no answer";
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &s, nullptr) != SQLITE_OK) ADD_FAILURE() << sql << ": " << sqlite3_errmsg(db_);
    else if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0)) answer = reinterpret_cast<const char*>(sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return answer;
  }

 private:
  sqlite3* db_ = nullptr;
};

// A small file system, where mounting one is permitted.
struct Mount {
  explicit Mount(const std::filesystem::path& at) : path(at), done(mount("tmpfs", at.c_str(), "tmpfs", 0, "size=18m,mode=0700") == 0) {}
  ~Mount() {
    if (done) umount2(path.c_str(), MNT_DETACH);
  }
  bool freeze() const { return mount("tmpfs", path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0; }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  std::filesystem::path path;
  bool done;
};

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "sancho-sqlite-XXXXXX";
    directory = mkdtemp(pattern.data());
    path = directory / "sessions.db";
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(directory); }

  // The fsyncs of `full` cost a busy disk minutes, and only a loss of power can
  // tell the difference: a test that needs them asks for them.
  static constexpr SqliteOptions normal{.synchronous = SqliteOptions::Synchronous::normal};

  std::unique_ptr<SessionStore> open(const SqliteOptions& options = normal) { return open_sqlite_store(path, options, clock); }

  Record record(std::string payload = "payload", std::uint64_t counter = 1) const {
    return {.version = {7, counter},
            .state = State::live,
            .created = clock.now(),
            .accessed = clock.now(),
            .idle = 30min,
            .ends = clock.now() + 12h,
            .subject = {},
            .handle = {},
            .payload = std::move(payload)};
  }

  std::filesystem::path directory, path;
  ManualClock clock;
};

}  // namespace sancho::sqlite_test
