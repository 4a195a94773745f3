// Transactions and what is done in them, with every failure a `StoreError`.
#pragma once

#include <lmdb.h>

#include <optional>
#include <string>
#include <string_view>

#include "stores/lmdb/environment.hpp"

namespace sancho::lmdb {

// How long the key of an entry is at most that these take, without its table's prefix.
constexpr std::size_t longest_key = 64;

// What both kinds share. The views they give live until the next write, or the
// end of the transaction.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  std::optional<std::string_view> get(const Table& table, std::string_view key) const;
  // Is there nothing in LMDB's main table, where the names of the others stand too?
  bool empty(MDB_dbi tree) const;

  MDB_txn* raw() const { return txn_; }
  Environment& environment() const { return environment_; }
  const char* doing() const { return doing_; }

 protected:
  Transaction(Environment& environment, Deadline deadline, const char* doing);
  ~Transaction() = default;
  // Another process has made the map greater: with nothing begun.
  void adopt_map(Deadline deadline);

  Environment& environment_;
  const char* doing_;
  std::optional<MapMutex::Reading> map_;
  MDB_txn* txn_ = nullptr;
};

// One view of the database, whatever others write. Short, because LMDB keeps
// every page that it may see.
class Reading : public Transaction {
 public:
  Reading(Environment& environment, Deadline deadline, const char* doing);
  ~Reading();
  // The tables that were opened in it stay open. Nothing may be read any more.
  void keep_tables();
};

// What a write may take of a map that is nearly full.
enum class Room {
  leave,  // leaves enough for others to log out
  take,   // takes what there is: it gives room back, or takes none for good
};

// The only writer of all threads and processes. Rolled back unless committed.
class Writing : public Transaction {
 public:
  // `size`: how many bytes it will add, about.
  Writing(Environment& environment, Deadline deadline, const char* doing, Room room, std::size_t size = 0);
  ~Writing();

  void put(const Table& table, std::string_view key, std::string_view value);
  // Was it there?
  bool remove(const Table& table, std::string_view key);
  // Returns when it is as durable as the database promises.
  void commit();

 private:
  std::optional<Gate::Pass> pass_;
};

// A walk over a table in the order of its keys. The table outlives it.
class Cursor {
 public:
  Cursor(const Transaction& transaction, const Table& table);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // To the first entry whose key is not before `key`. True while there is one.
  bool seek(std::string_view key);
  bool next();
  // Without what all keys of the table begin with.
  std::string_view key() const { return whole_key().substr(prefix_.size()); }
  std::string_view value() const { return {static_cast<const char*>(value_.mv_data), value_.mv_size}; }

 private:
  bool move(MDB_cursor_op how);
  std::string_view whole_key() const { return {static_cast<const char*>(key_.mv_data), key_.mv_size}; }

  const Transaction& transaction_;
  const std::string& prefix_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{}, value_{};
};

}  // namespace sancho::lmdb
