#include "stores/memory/subjects.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "stores/memory/fetch.hpp"

namespace sancho::memory {

Subjects::~Subjects() {
  for (auto& shard : shards_) {
    shard.entries.give_back(memory_);
    shard.chains.give_back(memory_);
  }
}

void Subjects::expect(std::string_view subject) const {
  const auto h = hash(subject);
  const auto& shard = shard_of(h);
  const std::lock_guard lock(shard.mutex);
  if (shard.chain_count > 0) fetch(&shard.chains[shard.chain_of(static_cast<std::uint32_t>(h >> 32))], 1);
}

std::uint32_t Subjects::add(std::string_view subject, Hash key) {
  const auto h = hash(subject);
  auto& shard = shard_of(h);
  const std::lock_guard lock(shard.mutex);
  shard.grow(memory_);
  auto entry = shard.unused;
  if (entry != none) {
    shard.unused = shard.entries[entry].next;
  } else {
    shard.entries.grow_to(shard.entry_count + std::size_t{1}, memory_);
    entry = shard.entry_count++;
  }
  shard.entries[entry] = {key, static_cast<std::uint32_t>(h >> 32), none, none};
  shard.link(entry);
  ++shard.in_use;
  return entry;
}

void Subjects::remove(std::string_view subject, std::uint32_t entry) {
  auto& shard = shard_of(hash(subject));
  const std::lock_guard lock(shard.mutex);
  shard.unlink(entry);
  shard.entries[entry].next = shard.unused;
  shard.unused = entry;
  --shard.in_use;
}

std::vector<Hash> Subjects::of(std::string_view subject) const {
  const auto h = hash(subject);
  const auto part = static_cast<std::uint32_t>(h >> 32);
  const auto& shard = shard_of(h);
  std::vector<Hash> keys;
  {
    const std::lock_guard lock(shard.mutex);
    if (shard.chain_count == 0) return keys;
    for (auto at = shard.chains[shard.chain_of(part)]; at != none; at = shard.entries[at].next)
      if (shard.entries[at].subject == part) keys.push_back(shard.entries[at].key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// ## Chains

// As many bits as number the chains; those that are not there yet are still part
// of the one without the highest bit.
std::uint32_t Subjects::Shard::chain_of(std::uint32_t subject) const {
  const auto full = std::bit_ceil(chain_count);
  const auto at = subject & (full - 1);
  return at < chain_count ? at : at - full / 2;
}

void Subjects::Shard::link(std::uint32_t entry) {
  auto& first = chains[chain_of(entries[entry].subject)];
  entries[entry].before = none, entries[entry].next = first;
  if (first != none) entries[first].before = entry;
  first = entry;
}

void Subjects::Shard::unlink(std::uint32_t entry) {
  const auto& gone = entries[entry];
  (gone.before == none ? chains[chain_of(gone.subject)] : entries[gone.before].next) = gone.next;
  if (gone.next != none) entries[gone.next].before = gone.before;
}

// One chain more where there are twice as many entries: it takes over from one other.
void Subjects::Shard::grow(LargePages& memory) {
  if (in_use < 2 * chain_count) return;
  chains.grow_to(chain_count + std::size_t{1}, memory);
  chains[chain_count] = none;
  if (chain_count++ == 0) return;
  const auto source = (chain_count - 1) - std::bit_ceil(chain_count) / 2;
  auto at = std::exchange(chains[source], none);
  while (at != none) {
    const auto next = entries[at].next;
    link(at);
    at = next;
  }
}

}  // namespace sancho::memory
