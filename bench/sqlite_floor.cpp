#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "contender.hpp"

namespace sancho::bench {

namespace {
struct Connection {
  sqlite3* db = nullptr;
  sqlite3_stmt *select = nullptr, *update = nullptr, *insert = nullptr;

  void open(const std::string& path, bool full) {
    check(sqlite3_open(path.c_str(), &db));
    sqlite3_busy_timeout(db, 10'000);
    run("PRAGMA journal_mode=WAL");
    run(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    run("CREATE TABLE IF NOT EXISTS s (k BLOB PRIMARY KEY, version INTEGER, user TEXT, payload BLOB) WITHOUT ROWID");
    prepare("SELECT version, user, payload FROM s WHERE k = ?1", select);
    prepare("UPDATE s SET version = version + 1, payload = ?2 WHERE k = ?1 AND version >= ?3", update);
    prepare("INSERT INTO s VALUES (?1, 1, ?2, ?3)", insert);
  }
  ~Connection() {
    for (auto* s : {select, update, insert}) sqlite3_finalize(s);
    sqlite3_close(db);
  }
  void run(const char* sql) { check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr)); }
  void prepare(const char* sql, sqlite3_stmt*& s) { check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, nullptr)); }
  void check(int rc) {
    if (rc != SQLITE_OK) throw std::runtime_error(std::string("sqlite floor: ") + sqlite3_errmsg(db));
  }
  void step(sqlite3_stmt* s, int expected) {
    const int rc = sqlite3_step(s);
    sqlite3_reset(s);
    if (rc != expected) throw std::runtime_error(std::string("sqlite floor: ") + sqlite3_errmsg(db));
  }
};

using Key = std::array<char, 32>;
Key key(std::size_t i) {
  Key k;
  for (std::size_t at = 0; at < k.size(); ++at) {
    i = i * 0x9e3779b97f4a7c15u + 1;
    k[at] = static_cast<char>(i >> 56);
  }
  return k;
}
void bind(sqlite3_stmt* s, int at, const std::string& text) { sqlite3_bind_blob(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC); }
void bind(sqlite3_stmt* s, int at, const Key& k) { sqlite3_bind_blob(s, at, k.data(), static_cast<int>(k.size()), SQLITE_STATIC); }

void insert(Connection& c, std::size_t i, const std::string& payload) {
  const auto k = key(i);
  const auto user = "user" + std::to_string(i);
  bind(c.insert, 1, k), bind(c.insert, 2, user), bind(c.insert, 3, payload);
  c.step(c.insert, SQLITE_DONE);
}

class Sqlite final : public Contender {
 public:
  Sqlite(const Setting& setting, bool full) {
    {
      Connection young;
      young.open(setting.nursery + "/floor.db", false);
      young.run("BEGIN");
      for (std::size_t i = 0; i < setting.sessions; ++i) insert(young, i, payload_);
      young.run("COMMIT");
    }
    std::filesystem::copy(setting.nursery, setting.place, std::filesystem::copy_options::recursive);
    for (auto& c : connections_) c.open(setting.place + "/floor.db", full);
    next_ = setting.sessions;
  }
  void read(unsigned thread, const Visit& visit) override {
    auto& c = connections_[thread];
    const auto k = key(visit.session);
    bind(c.select, 1, k);
    if (sqlite3_step(c.select) != SQLITE_ROW) throw std::runtime_error("sqlite floor: a row is missing");
    const std::string user(static_cast<const char*>(sqlite3_column_blob(c.select, 1)), static_cast<std::size_t>(sqlite3_column_bytes(c.select, 1)));
    const std::string payload(static_cast<const char*>(sqlite3_column_blob(c.select, 2)), static_cast<std::size_t>(sqlite3_column_bytes(c.select, 2)));
    benchmark::DoNotOptimize(user);
    benchmark::DoNotOptimize(payload);
    sqlite3_reset(c.select);
  }
  void write(unsigned thread, const Visit& visit) override {
    read(thread, visit);
    auto& c = connections_[thread];
    const auto k = key(visit.session);
    bind(c.update, 1, k), bind(c.update, 2, payload_);
    sqlite3_bind_int64(c.update, 3, 1);
    c.step(c.update, SQLITE_DONE);
  }
  void log_in(unsigned thread) override { insert(connections_[thread], next_++, payload_); }

 private:
  std::string payload_ = std::string(payload_bytes, 'x');
  std::array<Connection, most_threads> connections_;
  std::atomic<std::size_t> next_;
};
}  // namespace

std::unique_ptr<Contender> sqlite_floor(const Setting& setting, bool full) { return std::make_unique<Sqlite>(setting, full); }

}  // namespace sancho::bench
