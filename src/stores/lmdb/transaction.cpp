#include "stores/lmdb/transaction.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "stores/lmdb/failure.hpp"

namespace sancho::lmdb {

namespace {
MDB_val val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

// An entry's key as LMDB has it, for the call it is passed to.
class WholeKey {
 public:
  WholeKey(const Table& table, std::string_view key) : WholeKey(table.prefix, key) {}
  WholeKey(const std::string& prefix, std::string_view key) : view_(key) {
    if (prefix.empty()) return;
    if (prefix.size() + key.size() > bytes_.size()) {  // none of ours: another program's, or damage
      view_ = far_.append(prefix).append(key);
      return;
    }
    auto* const end = std::copy(key.begin(), key.end(), std::copy(prefix.begin(), prefix.end(), bytes_.begin()));
    view_ = {bytes_.data(), static_cast<std::size_t>(end - bytes_.data())};
  }
  WholeKey(const WholeKey&) = delete;
  WholeKey& operator=(const WholeKey&) = delete;
  operator std::string_view() const { return view_; }

 private:
  std::array<char, longest_prefix + longest_key> bytes_;
  std::string far_;
  std::string_view view_;
};
}  // namespace

Transaction::Transaction(Environment& environment, Deadline deadline, const char* doing)
    : environment_(environment), doing_(doing) {
  environment_.require_usable_within_tick(deadline);
}

void Transaction::adopt_map(Deadline deadline) {
  map_.reset();
  environment_.adopt_map(deadline, 0);
  map_.emplace(environment_.map_mutex_, environment_.inside_);
}

std::optional<std::string_view> Transaction::get(const Table& table, std::string_view key) const {
  const WholeKey whole(table, key);
  auto k = val(whole);
  MDB_val v;
  const int rc = mdb_get(txn_, table.tree, &k, &v);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  check(environment_.store(), doing_, rc);
  return std::string_view(static_cast<const char*>(v.mv_data), v.mv_size);
}

bool Transaction::empty(MDB_dbi tree) const {
  MDB_stat stat;
  check(environment_.store(), doing_, mdb_stat(txn_, tree, &stat));
  return stat.ms_entries == 0;
}

// ## Reading

Reading::Reading(Environment& environment, Deadline deadline, const char* doing)
    : Transaction(environment, deadline, doing) {
  map_.emplace(environment_.map_mutex_, environment_.inside_);
  while (!(txn_ = environment_.take_reader(deadline))) adopt_map(deadline);
}

Reading::~Reading() {
  if (txn_) environment_.give_back(txn_);
}

void Reading::keep_tables() {
  const int rc = mdb_txn_commit(txn_);
  txn_ = nullptr;
  check(environment_.store(), doing_, rc);
}

// ## Writing

Writing::Writing(Environment& environment, Deadline deadline, const char* doing, Room room, std::size_t size)
    : Transaction(environment, deadline, doing) {
  pass_.emplace(environment_.gate_, Gate::Lane::write, deadline);
  // Now for certain: while this process waited, the files may have gone.
  environment_.require_usable(deadline);
  map_.emplace(environment_.map_mutex_, environment_.inside_);
  mdb_env_set_flags(environment_.env_, MDB_NOMETASYNC, environment_.full_ ? 0 : 1);
  int rc = 0;
  while ((rc = mdb_txn_begin(environment_.env_, nullptr, 0, &txn_)) == MDB_MAP_RESIZED) adopt_map(deadline);
  check(environment_.store(), doing_, rc);
  if (room == Room::take) return;
  const auto needs = kept_pages + size / environment_.page_size() + 1;
  try {
    if (environment_.has_free_pages(needs, deadline)) return;
    fail(environment_.store(), doing_, MDB_MAP_FULL);
  } catch (...) {
    mdb_txn_abort(txn_);
    throw;
  }
}

Writing::~Writing() {
  if (txn_) mdb_txn_abort(txn_);
}

void Writing::put(const Table& table, std::string_view key, std::string_view value) {
  const WholeKey whole(table, key);
  auto k = val(whole), v = val(value);
  check(environment_.store(), doing_, mdb_put(txn_, table.tree, &k, &v, 0));
}

bool Writing::remove(const Table& table, std::string_view key) {
  const WholeKey whole(table, key);
  auto k = val(whole);
  const int rc = mdb_del(txn_, table.tree, &k, nullptr);
  if (rc == MDB_NOTFOUND) return false;
  check(environment_.store(), doing_, rc);
  return true;
}

// LMDB calls a write that was cut short an I/O error, and on a full disk that is
// how it ends.
void Writing::commit() {
  int rc = mdb_txn_commit(txn_);
  txn_ = nullptr;
  if (rc == MDB_SUCCESS) return;
  const bool maybe_done = environment_.in_doubt();
  if (rc == EIO && !maybe_done && environment_.disk_full()) rc = ENOSPC;
  fail(environment_.store(), doing_, rc, maybe_done);
}

// ## Cursor

Cursor::Cursor(const Transaction& transaction, const Table& table) : transaction_(transaction), prefix_(table.prefix) {
  check(transaction_.environment().store(), transaction_.doing(), mdb_cursor_open(transaction_.raw(), table.tree, &cursor_));
}

Cursor::~Cursor() { mdb_cursor_close(cursor_); }

bool Cursor::move(MDB_cursor_op how) {
  const int rc = mdb_cursor_get(cursor_, &key_, &value_, how);
  if (rc == MDB_NOTFOUND) return false;
  check(transaction_.environment().store(), transaction_.doing(), rc);
  return whole_key().starts_with(prefix_);
}

// LMDB has no empty key.
bool Cursor::seek(std::string_view key) {
  const WholeKey whole(prefix_, key);
  key_ = val(whole);
  return move(key_.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

bool Cursor::next() { return move(MDB_NEXT); }

}  // namespace sancho::lmdb
