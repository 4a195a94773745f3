// # A hash table for millions of small keys
//
// Keys are plain values without padding whose size is a multiple of eight;
// nothing is ever removed. That is all the explorer needs, and it is several
// times faster here than the standard table.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace sancho::proof {

template <class Key, class Value>
class FlatMap {
  static_assert(std::has_unique_object_representations_v<Key> && sizeof(Key) % 8 == 0);

 public:
  // The value kept for `key`, and whether it is new; then it is `value`.
  std::pair<Value&, bool> insert(const Key& key, Value value) {
    if (4 * (size_ + 1) > 3 * table_.size()) grow();
    Row& row = place(key);
    const bool fresh = !row.taken;
    if (fresh) row = {key, std::move(value), true}, ++size_;
    return {row.value, fresh};
  }
  const Value* find(const Key& key) {
    if (table_.empty()) return nullptr;
    Row& row = place(key);
    return row.taken ? &row.value : nullptr;
  }
  std::size_t size() const { return size_; }

  template <class F>
  void each(F&& f) const {
    for (const auto& row : table_)
      if (row.taken) f(row.key, row.value);
  }

 private:
  struct Row {
    Key key{};
    Value value{};
    bool taken = false;
  };

  static std::size_t hash(const Key& key) {
    std::uint64_t words[sizeof(Key) / 8], h = 0;
    std::memcpy(words, &key, sizeof key);
    for (const auto w : words) h = (h ^ w) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
    return h * 0xBF58476D1CE4E5B9u >> 20;
  }
  Row& place(const Key& key) {
    auto i = hash(key) & (table_.size() - 1);
    while (table_[i].taken && std::memcmp(&table_[i].key, &key, sizeof key) != 0) i = (i + 1) & (table_.size() - 1);
    return table_[i];
  }
  void grow() {
    std::vector<Row> old(table_.empty() ? 64 : 2 * table_.size());
    old.swap(table_);
    for (auto& row : old)
      if (row.taken) place(row.key) = std::move(row);
  }

  std::vector<Row> table_;
  std::size_t size_ = 0;
};

}  // namespace sancho::proof
