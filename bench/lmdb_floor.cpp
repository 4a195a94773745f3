#include <benchmark/benchmark.h>
#include <lmdb.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "contender.hpp"

namespace sancho::bench {

namespace {
void check(int rc) {
  if (rc != MDB_SUCCESS) throw std::runtime_error(std::string("lmdb floor: ") + mdb_strerror(rc));
}

using Key = std::array<char, 32>;
Key key(std::size_t i) {
  Key k;
  for (std::size_t at = 0; at < k.size(); ++at) {
    i = i * 0x9e3779b97f4a7c15u + 1;
    k[at] = static_cast<char>(i >> 56);
  }
  return k;
}

struct Database {
  MDB_env* env = nullptr;
  MDB_dbi table = 0;
  Database(const std::string& path, unsigned flags) {
    check(mdb_env_create(&env));
    check(mdb_env_set_mapsize(env, std::size_t{4} << 30));
    check(mdb_env_open(env, path.c_str(), MDB_NOTLS | flags, 0600));
    MDB_txn* t = nullptr;
    check(mdb_txn_begin(env, nullptr, 0, &t));
    check(mdb_dbi_open(t, nullptr, 0, &table));
    check(mdb_txn_commit(t));
  }
  ~Database() { mdb_env_close(env); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void put(MDB_txn* t, std::size_t i, std::uint64_t version, const std::string& payload) const {
    auto k = key(i);
    std::string value(sizeof version, '\0');
    std::memcpy(value.data(), &version, sizeof version);
    value += "user" + std::to_string(i) + '\0' + payload;
    MDB_val name{k.size(), k.data()}, bytes{value.size(), value.data()};
    check(mdb_put(t, table, &name, &bytes, 0));
  }
};

class Lmdb final : public Contender {
 public:
  Lmdb(const Setting& setting, bool full) : next_(setting.sessions) {
    {
      const Database young(setting.nursery, MDB_NOSYNC);
      MDB_txn* t = nullptr;
      check(mdb_txn_begin(young.env, nullptr, 0, &t));
      for (std::size_t i = 0; i < setting.sessions; ++i) young.put(t, i, 1, payload_);
      check(mdb_txn_commit(t));
    }
    std::filesystem::copy(setting.nursery, setting.place, std::filesystem::copy_options::recursive);
    database_ = std::make_unique<Database>(setting.place, full ? 0u : static_cast<unsigned>(MDB_NOMETASYNC));
    for (auto& reader : readers_) {
      check(mdb_txn_begin(database_->env, nullptr, MDB_RDONLY, &reader));
      mdb_txn_reset(reader);
    }
  }
  ~Lmdb() override {
    for (auto* reader : readers_) mdb_txn_abort(reader);
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  void read(unsigned thread, const Visit& visit) override {
    auto k = key(visit.session);
    MDB_val name{k.size(), k.data()}, value;
    check(mdb_txn_renew(readers_[thread]));
    check(mdb_get(readers_[thread], database_->table, &name, &value));
    const std::string copy(static_cast<const char*>(value.mv_data), value.mv_size);
    benchmark::DoNotOptimize(copy);
    mdb_txn_reset(readers_[thread]);
  }
  void write(unsigned thread, const Visit& visit) override {
    read(thread, visit);
    auto k = key(visit.session);
    MDB_val name{k.size(), k.data()}, value;
    MDB_txn* t = nullptr;
    check(mdb_txn_begin(database_->env, nullptr, 0, &t));
    check(mdb_get(t, database_->table, &name, &value));
    std::uint64_t version = 0;
    std::memcpy(&version, value.mv_data, sizeof version);
    database_->put(t, visit.session, version + 1, payload_);
    check(mdb_txn_commit(t));
  }
  void log_in(unsigned) override {
    MDB_txn* t = nullptr;
    check(mdb_txn_begin(database_->env, nullptr, 0, &t));
    database_->put(t, next_++, 1, payload_);
    check(mdb_txn_commit(t));
  }

 private:
  std::string payload_ = std::string(payload_bytes, 'x');
  std::unique_ptr<Database> database_;
  std::array<MDB_txn*, most_threads> readers_{};
  std::atomic<std::size_t> next_;
};
}  // namespace

std::unique_ptr<Contender> lmdb_floor(const Setting& setting, bool full) {
  return std::make_unique<Lmdb>(setting, full);
}

}  // namespace sancho::bench
