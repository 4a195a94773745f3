// What goes over all records: sweeping, walking, counting.
#include "base/big_endian.hpp"
#include "stores/memory/memory_store.hpp"

namespace sancho::memory {

using Reading = ShardMutex::Reading;
using Writing = ShardMutex::Writing;

// ## Sweeping
//
// What is due stands in order, so what is not is not looked at. A shard's lock is
// given back after a page or two.

SweepAnswer MemoryStore::sweep(const SweepRequest& request, Deadline deadline) {
  gates_.forget_old();
  const auto due = [&](std::size_t most, SweepAnswer& answer) { return sweep_due(clock_.now(), most, answer); };
  const auto idle = [&](Time accessed_before, std::size_t most, SweepAnswer& answer) {
    const auto look = [&](const std::string& after, std::size_t n) { return sweep_old(after, n, accessed_before, answer); };
    return walk_for_old(old_ones_, accessed_before, most, deadline, look);
  };
  return sweep_in_batches(request, deadline, due, idle);
}

// Are there more? Looks at a few times as many as it may remove, because those
// that were touched are found among what is due.
bool MemoryStore::sweep_due(Time now, std::size_t most, SweepAnswer& answer) {
  const auto from = sweep_from_.load();
  const auto end = answer.removed + most;
  std::size_t looked = 0;
  for (std::size_t i = 0; i < shard_count; ++i) {
    const auto at = (from + i) % shard_count;
    auto& shard = *shards_[at];
    const auto has_due = [&] {
      const Reading lock(shard.mutex, readers_);
      return shard.has_due(now);
    };
    while (has_due()) {
      if (answer.removed == end || looked >= 4 * sweep_batch) {
        sweep_from_ = at;
        return true;
      }
      const Writing lock(shard.mutex, readers_);
      looked += shard.remove_expired(now, end - answer.removed, answer);
    }
  }
  return false;
}

// A place in the walk: the shard in one byte, then the hash in it in eight.
namespace {
struct WalkedTo {
  std::size_t shard = 0;
  Hash hash = 0;

  explicit WalkedTo(const std::string& text) {
    if (text.empty()) return;
    shard = static_cast<unsigned char>(text[0]);
    hash = get_big_endian<Hash>(text.data() + 1);
  }
  std::string text() const {
    return std::string(1, static_cast<char>(shard)).append(EightBytes(hash));
  }
};
}  // namespace

// One part of a shard. Who writes is held up only where something is old.
WalkPart MemoryStore::sweep_old(const std::string& after, std::size_t most, Time accessed_before, SweepAnswer& answer) {
  WalkedTo place(after);
  auto& shard = *shards_[place.shard];
  const auto removed = answer.removed;
  bool any = false, all = true;
  std::optional<Hash> next;
  {
    const Reading lock(shard.mutex, readers_);
    next = shard.part(place.hash, [&](const Packed& record) { any |= is_old(record, accessed_before); });
  }
  if (any) {
    const Writing lock(shard.mutex, readers_);
    next = shard.part(place.hash, [](const Packed&) {});
    all = shard.remove_old(place.hash, accessed_before, most, answer);
  }
  WalkPart part{.last = after, .more = true, .removed = answer.removed - removed};
  if (!all) return part;
  place.hash = next.value_or(0);
  place.shard += !next;
  part.more = place.shard < shard_count;
  part.last = place.text();
  return part;
}

// ## Walking
//
// The keys of one part at a time; each record is then looked up afresh.
void MemoryStore::walk(const Each& each, Deadline deadline) {
  std::vector<SessionKey> keys;
  for (auto& shard : shards_)
    for (std::optional<Hash> at = 0; at;) {
      keys.clear();
      {
        const Reading lock(shard->mutex, readers_);
        at = shard->part(*at, [&](const Packed& record) { keys.push_back(record.key()); });
      }
      for (const auto& key : keys) {
        if (deadline.passed()) throw StoreError(Trouble::unavailable, "memory: the walk did not end before its deadline");
        auto record = load(key, deadline);
        if (record && !each({key, std::move(*record)})) return;
      }
    }
}

std::size_t MemoryStore::count(Deadline) {
  std::size_t live = 0;
  for (auto& shard : shards_)
    for (std::optional<Hash> at = 0; at;) {
      const Reading lock(shard->mutex, readers_);
      const auto now = clock_.now();
      at = shard->part(*at, [&](const Packed& record) { live += record.state() == State::live && record.expires() > now; });
    }
  return live;
}

}  // namespace sancho::memory
