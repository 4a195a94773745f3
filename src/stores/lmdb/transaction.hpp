// Transactions and what is done in them, with every failure a `StoreError`.
#pragma once

#include <lmdb.h>

#include <optional>
#include <string>
#include <string_view>

#include "stores/lmdb/environment.hpp"

namespace sancho::lmdb {

// What both kinds share. The views they give live until the next write, or the
// end of the transaction.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  std::optional<std::string_view> get(MDB_dbi table, std::string_view key) const;
  // How many entries a table has.
  std::size_t size(MDB_dbi table) const;

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

  void put(MDB_dbi table, std::string_view key, std::string_view value);
  // Was it there?
  bool remove(MDB_dbi table, std::string_view key);
  // Returns when it is as durable as the database promises.
  void commit();

 private:
  std::optional<Gate::Pass> pass_;
};

// A walk over a table in the order of its keys.
class Cursor {
 public:
  Cursor(const Transaction& transaction, MDB_dbi table);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // To the first entry whose key is not before `key`. True while there is one.
  bool seek(std::string_view key);
  bool next();
  std::string_view key() const { return {static_cast<const char*>(key_.mv_data), key_.mv_size}; }
  std::string_view value() const { return {static_cast<const char*>(value_.mv_data), value_.mv_size}; }

 private:
  bool move(MDB_cursor_op how);
  const Transaction& transaction_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{}, value_{};
};

}  // namespace sancho::lmdb
