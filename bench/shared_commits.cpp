// # sancho_bench_shared_commits DIRECTORY TURNS
//
// Sixteen writers at once on `sqlite:` with `synchronous=full`, each with sessions
// of its own, beside one hand that puts sixteen updates into each transaction: what
// sharing transactions and syncs would give at best. A JSON line for each turn,
// microseconds a commit; both sides take turns, and write in the same directory.
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sancho/open_store.hpp"

namespace sancho::bench {
namespace {

constexpr std::size_t writers = 16, commits_of_each = 25;
const std::string payload(200, 'x');

double microseconds_a_commit(const std::chrono::steady_clock::time_point begin) {
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  return took.count() / double(writers * commits_of_each);
}

class Ours {
 public:
  explicit Ours(const std::string& directory) : store_(open_store("sqlite:" + directory + "/ours.db?synchronous=full")) {
    const auto now = system_clock().now();
    for (std::size_t i = 0; i < writers; ++i) {
      keys_.push_back(SessionKey::of("", SessionId::draw(system_random())));
      records_.push_back({.version = {i + 1, 1}, .created = now, .accessed = now, .idle = std::chrono::hours(1), .ends = now + std::chrono::hours(1), .payload = payload});
      store_->create(keys_[i], records_[i], in_time());
    }
  }
  double turn() {
    // Whoever writes has its threads: making and ending them is not measured.
    std::latch ready(writers), begun(1), done(writers);
    std::atomic<bool> failed = false;
    std::atomic<std::ptrdiff_t> left = writers * commits_of_each;
    std::vector<std::jthread> all;
    for (std::size_t i = 0; i < writers; ++i)
      all.emplace_back([&, i] {
        ready.count_down();
        begun.wait();
        // They share the work, so that sixteen write until the end.
        while (left-- > 0)
          if (!commit(i)) failed = true;
        done.count_down();
      });
    ready.wait();
    const auto begin = std::chrono::steady_clock::now();
    begun.count_down();
    done.wait();
    const auto took = microseconds_a_commit(begin);
    all.clear();
    if (failed) throw std::runtime_error("a commit was not done");
    return took;
  }

 private:
  static Deadline in_time() { return Deadline::after(std::chrono::seconds{60}); }
  bool commit(std::size_t i) {
    auto& record = records_[i];
    const auto seen = record.version;
    ++record.version.counter;
    return std::holds_alternative<Done>(store_->commit(keys_[i], seen, record, in_time()));
  }
  std::unique_ptr<SessionStore> store_;
  std::vector<SessionKey> keys_;
  std::vector<Record> records_;
};

class Floor {
 public:
  explicit Floor(const std::string& directory) {
    check(sqlite3_open((directory + "/floor.db").c_str(), &db_));
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE s (k INTEGER PRIMARY KEY, version INTEGER, payload BLOB)");
    for (std::size_t i = 0; i < writers; ++i) run("INSERT INTO s VALUES (" + std::to_string(i) + ", 1, zeroblob(200))");
    check(sqlite3_prepare_v2(db_, "UPDATE s SET version = version + 1, payload = ?2 WHERE k = ?1 AND version >= 1", -1, &update_, nullptr));
  }
  ~Floor() {
    sqlite3_finalize(update_);
    sqlite3_close(db_);
  }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  double turn() {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t n = 0; n < commits_of_each; ++n) {
      run("BEGIN IMMEDIATE");
      for (std::size_t i = 0; i < writers; ++i) {
        sqlite3_bind_int64(update_, 1, static_cast<sqlite3_int64>(i));
        sqlite3_bind_blob(update_, 2, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
        if (sqlite3_step(update_) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
        sqlite3_reset(update_);
      }
      run("COMMIT");
    }
    return microseconds_a_commit(begin);
  }

 private:
  void check(int rc) const {
    if (rc != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
  }
  void run(const std::string& sql) { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* update_ = nullptr;
};

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("sancho_bench_shared_commits DIRECTORY TURNS");
  sancho::bench::Ours ours(argv[1]);
  sancho::bench::Floor floor(argv[1]);
  ours.turn(), floor.turn();
  for (int i = 0; i < std::stoi(argv[2]); ++i) {
    const auto a = ours.turn(), b = floor.turn();
    std::printf("{\"ours\": %.1f, \"floor\": %.1f}\n", a, b);
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
