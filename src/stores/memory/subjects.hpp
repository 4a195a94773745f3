// # Who has which sessions
//
// From a subject to the hashes of its records' keys, in shards of its own. It is a
// hint: whoever reads it looks the records up and judges them, so it may name one
// too many for a moment, never one too few. Its locks are taken while a record's
// shard is locked, and never the other way round.
//
// Only records with a subject are in it, with 24 bytes each and a place in a table
// of chains. Of a subject it keeps the hash alone: the record has the text. The
// table grows by one chain at a time (linear hashing).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string_view>
#include <vector>

#include "stores/memory/large_pages.hpp"
#include "stores/memory/make_room.hpp"
#include "stores/memory/packed.hpp"

namespace sancho::memory {

class Subjects {
 public:
  explicit Subjects(LargePages& memory) : memory_(memory) {}
  ~Subjects();
  Subjects(const Subjects&) = delete;
  Subjects& operator=(const Subjects&) = delete;

  // Asks for the memory that `add` will look at.
  void expect(std::string_view subject) const;
  // Gives the name under which it is removed again. The subject is not empty.
  std::uint32_t add(std::string_view subject, Hash key);
  void remove(std::string_view subject, std::uint32_t entry);

  // Hashes of keys, sorted, each once.
  std::vector<Hash> of(std::string_view subject) const;

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  struct Entry {
    Hash key;
    std::uint32_t subject;       // a part of its hash
    std::uint32_t before, next;  // in the chain
  };

  // Numbered things that do not move when there are more; `size` at a time.
  template <class T, std::size_t size>
  class Chunks {
   public:
    T& operator[](std::size_t i) const { return chunks_[i / size][i % size]; }
    void grow_to(std::size_t n, LargePages& memory) {
      while (chunks_.size() * size < n) {
        make_room_for_one(chunks_);
        chunks_.push_back(reinterpret_cast<T*>(memory.take(size * sizeof(T))));
      }
    }
    void give_back(LargePages& memory) {
      for (auto* const chunk : chunks_) memory.give_back(reinterpret_cast<std::byte*>(chunk), size * sizeof(T));
    }

   private:
    std::vector<T*> chunks_;
  };

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Chunks<Entry, 192> entries;
    Chunks<std::uint32_t, 64> chains;
    std::uint32_t entry_count = 0, chain_count = 0, in_use = 0;
    std::uint32_t unused = none;  // entries, chained by `next`

    std::uint32_t chain_of(std::uint32_t subject) const;
    void link(std::uint32_t entry);
    void unlink(std::uint32_t entry);
    void grow(LargePages& memory);
  };

  static std::uint64_t hash(std::string_view subject) { return std::hash<std::string_view>{}(subject); }
  const Shard& shard_of(std::uint64_t hash) const { return shards_[hash % std::tuple_size_v<decltype(shards_)>]; }
  Shard& shard_of(std::uint64_t hash) { return shards_[hash % std::tuple_size_v<decltype(shards_)>]; }

  LargePages& memory_;
  std::array<Shard, 64> shards_;
};

}  // namespace sancho::memory
