// # The memory store and the floor under it, at any size
//
// Both hold records with 200 bytes of payload and a user's name, under keys that
// are computed from numbers; a batch of keys is made before it is asked for, as a
// request brings its key along.
#pragma once

#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "sancho/stores/memory.hpp"

namespace sancho::bench {

constexpr std::size_t batch = 256;

// 32 bytes, as uniform as a digest.
inline std::string digest(std::uint64_t n) {
  std::string bytes(32, '\0');
  for (std::size_t i = 0; i < 32; i += 8) {
    n += 0x9e3779b97f4a7c15;
    auto z = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    std::memcpy(bytes.data() + i, &z, sizeof z);
  }
  return bytes;
}

// An `unordered_map` behind a `shared_mutex`: string keys as long as an id, and
// the name is copied.
class MapSide {
 public:
  using Key = std::string;
  static constexpr const char* name = "floor";

  static Key key(std::uint64_t n) {
    auto text = digest(n);
    for (auto& c : text) c = static_cast<char>('0' + (c & 63));
    return text + "0123456789a";
  }
  void insert(const Key& key) {
    Row row{"user123456", std::string(200, 'x')};
    const std::unique_lock lock(mutex_);
    rows_.emplace(key, std::move(row));
  }
  bool read(const Key& key) {
    std::string user;
    {
      const std::shared_lock lock(mutex_);
      if (const auto at = rows_.find(key); at != rows_.end()) user = at->second.user;
    }
    return !user.empty();
  }
  bool write(const Key& key) {
    std::string payload(200, 'y');
    const std::unique_lock lock(mutex_);
    const auto at = rows_.find(key);
    if (at == rows_.end()) return false;
    at->second.payload = std::move(payload);
    return true;
  }

 private:
  struct Row {
    std::string user, payload;
  };
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Row> rows_;
};

class StoreSide {
 public:
  using Key = SessionKey;
  static constexpr const char* name = "ours";

  // With a user's name each, or nobody's: then there is no index of subjects.
  explicit StoreSide(bool named = true) {
    record_.version = {1, std::uint64_t{1} << 32};
    record_.created = record_.accessed = clock.now();
    record_.idle = std::chrono::hours{24};
    record_.handle = Handle::draw(system_random());
    record_.payload.assign(200, 'x');
    if (named) record_.subject = "user123456";
  }
  static Key key(std::uint64_t n) { return *SessionKey::from_bytes(digest(n)); }

  // One in a hundred ends in each of the hundred seconds from `begin` on.
  void insert(const Key& key) {
    if (!record_.subject.empty()) std::memcpy(record_.subject.data() + 4, key.bytes().data(), 6);
    record_.ends = begin + std::chrono::milliseconds{++inserted_ % 100 * 1000};
    store->create(key, record_, soon);
  }
  bool read(const Key& key) { return store->load(key, soon).has_value(); }
  bool touch(const Key& key) { return std::holds_alternative<Done>(store->touch(key, 1, clock.now(), soon)); }
  bool write(const Key& key) {
    auto record = store->load(key, soon);
    if (!record) return false;
    const auto expected = record->version;
    record->version = expected.after(1);
    return std::holds_alternative<Done>(store->commit(key, expected, *record, soon));
  }

  ManualClock clock;
  const Time begin = clock.now() + std::chrono::hours{1};
  const Deadline soon = Deadline::after(std::chrono::hours{24});
  std::unique_ptr<SessionStore> store = open_memory_store(clock);

 private:
  Record record_;
  std::uint64_t inserted_ = 0;
};

}  // namespace sancho::bench
