// A real server: its process, a way to its tables behind the store's back, and a
// namespace of one's own in it.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/stores/mysql.hpp"

namespace sancho::mysql_test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(20s); }
inline SessionKey key_of(const std::string& name) { return SessionKey::of_note("mysql test", name); }

// From an environment variable that holds a store URI; nothing if it is not set.
std::optional<MysqlOptions> options_from(const char* variable);
// With this host first, the others behind it.
MysqlOptions with_host_first(MysqlOptions options, std::size_t host);
// The host alone.
MysqlOptions only_host(MysqlOptions options, std::size_t host);
std::string uri_of(const MysqlOptions& options);

// The server itself, as another program would use it.
class Raw {
 public:
  explicit Raw(const MysqlOptions& options, std::size_t host = 0);
  ~Raw();
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  void run(const std::string& sql);
  // The first column of the first row.
  std::string ask(const std::string& sql);
  // The error's number, 0 for none.
  unsigned attempt(const std::string& sql);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// The server's process. As the tests' user or as root one may stop and start it.
class Process {
 public:
  explicit Process(const MysqlOptions& options, std::size_t host = 0);
  ~Process();  // thaws it
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  void freeze();
  void thaw();
  void kill();   // with SIGKILL; returns when it is gone
  void stop();   // as an administrator would
  void start();  // again, after it has gone; returns when it greets
  // Runs statements as the server's administrator.
  void administer(const std::string& sql) const;

 private:
  void wait_until_gone();
  MysqlOptions options_;
  std::size_t host_;
  pid_t pid_ = 0;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::string socket_, directory_;
  std::vector<std::string> command_;
  bool frozen_ = false;
};

// A namespace nobody uses; its tables go with it.
class Namespace {
 public:
  explicit Namespace(MysqlOptions options);
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  const MysqlOptions& options() const { return options_; }
  std::string table(const std::string& kind) const { return "sancho_" + options_.name_space + "_" + kind; }
  // A store whose clock goes along with `ahead`.
  std::unique_ptr<SessionStore> open() const { return open(options_); }
  std::unique_ptr<SessionStore> open(const MysqlOptions& options) const;
  std::atomic<std::int64_t> ahead = 0;

 private:
  MysqlOptions options_;
};

// The kind of the `StoreError` that `act` throws; nothing if it throws none.
template <class Act>
std::optional<Trouble> trouble_of(Act act, std::string* message = nullptr, bool* maybe_done = nullptr) {
  try {
    act();
  } catch (const StoreError& e) {
    if (message) *message = e.what();
    if (maybe_done) *maybe_done = e.maybe_done();
    return e.kind();
  }
  return std::nullopt;
}

// Calls `condition` until it holds, for at most this long.
template <class Condition>
bool eventually(Condition condition, Duration most = 30s) {
  for (const auto deadline = Deadline::after(most); !deadline.passed();)
    if (condition()) return true;
  return false;
}

Record record_of(const std::string& payload = "payload", std::uint64_t counter = 1);

}  // namespace sancho::mysql_test
