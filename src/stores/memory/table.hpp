// # From keys to slots
//
// A hash table of `Ref`s in segments of a bounded size. A segment that is full is
// doubled, and from its largest size on split in two by the next bit
// of its hashes (extendible hashing), so no insertion ever moves more than one
// segment: the table grows without a pause, however large it is. A bucket is a
// cache line: twelve slots, a byte of each one's hash, and how often a record had
// to go on to the next bucket.
//
// The keys lie with the records. So does nothing else that could be needed: the
// table can be gone through in the order of hashes, a segment at a time, while it
// changes, and each record is met once.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stores/memory/fetch.hpp"
#include "stores/memory/large_pages.hpp"
#include "stores/memory/packed.hpp"
#include "stores/memory/pages.hpp"

namespace sancho::memory {

class Table {
 public:
  // Buckets of a full-grown segment. Shards differ in it, so that they do not all
  // split at once, half empty afterwards.
  Table(LargePages& memory, const Pages& pages, std::uint32_t most_buckets) : memory_(memory), pages_(pages), most_buckets_(most_buckets) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // The record of this key, or `no_ref`.
  Ref find(const SessionKey& key, Hash hash) const;

  // Asks for the memory that a look, or an insertion, will begin with.
  void expect(Hash hash) const {
    if (directory_.empty()) return;
    const auto& door = directory_[index(hash)];
    fetch(&door.buckets[home(door.bucket_count, hash)], sizeof(Bucket));
  }

  // All whose keys have this hash: one, but for a coincidence in 2^64.
  template <class Each>
  void each_of(Hash hash, Each each) const {
    probe(hash, [&](Ref ref) {
      if (Packed(pages_.at(ref)).hash() == hash) each(ref);
      return false;
    });
  }

  // The record lies there already, and no other has its key. Throws with nothing
  // changed.
  void insert(Hash hash, Ref ref);
  // It is in the table.
  void erase(Hash hash, Ref ref);
  void replace(Hash hash, Ref from, Ref to);

  // The records of the segment in which `from` lies, from the first hash (0) on;
  // and where the next begins, nothing at the end.
  std::optional<Hash> segment(Hash from, std::vector<Ref>& refs) const;

 private:
  struct alignas(64) Bucket {
    static constexpr unsigned size = 12;
    std::uint8_t fingerprints[size] = {};
    std::uint16_t used = 0;
    std::uint8_t passed = 0;  // how many went on to a later one; stays at 255
    std::uint8_t unused = 0;
    Ref refs[size] = {};

    // A bit for each slot in use with this fingerprint.
    unsigned hits(std::uint8_t wanted) const {
#ifdef __SSE2__
      const auto all = _mm_load_si128(reinterpret_cast<const __m128i*>(fingerprints));
      return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8(static_cast<char>(wanted))))) & used;
#else
      unsigned hits = 0;
      for (unsigned i = 0; i < size; ++i) hits |= unsigned{fingerprints[i] == wanted} << i;
      return hits & used;
#endif
    }
  };
  struct GiveBack {
    LargePages* memory;
    std::uint32_t count;
    void operator()(Bucket* buckets) const noexcept;
  };
  struct Segment {
    Segment(LargePages& memory, std::uint32_t n, unsigned d);
    std::unique_ptr<Bucket[], GiveBack> buckets;
    std::uint32_t bucket_count, count = 0;
    unsigned depth;  // how many of the highest bits all its hashes share
  };
  // What a look needs of a segment, in the directory itself: one step less in the
  // way to a record.
  struct Door {
    const Bucket* buckets;
    std::uint32_t bucket_count, segment;
  };
  static constexpr unsigned deepest = 28;

  // The shard is in the lowest bits, the segment in the highest: the bucket and
  // the fingerprint are made of those between.
  static std::uint8_t fingerprint(Hash hash) { return static_cast<std::uint8_t>(hash >> 6); }
  static std::uint32_t home(std::uint32_t bucket_count, Hash hash) {
    return static_cast<std::uint32_t>((hash >> 4 & 0xffffffff) * bucket_count >> 32);
  }
  Segment& segment_of(Hash hash) { return segments_[directory_[index(hash)].segment]; }
  const Segment& segment_of(Hash hash) const { return segments_[directory_[index(hash)].segment]; }
  std::size_t index(Hash hash) const { return depth_ == 0 ? 0 : hash >> (64 - depth_); }

  // Asks `found(ref)` where the fingerprint is the one of this hash, until it
  // says yes: that one, or `no_ref`.
  template <class Found>
  Ref probe(Hash hash, Found found) const {
    if (directory_.empty()) return no_ref;
    const auto& door = directory_[index(hash)];
    const auto wanted = fingerprint(hash);
    auto at = home(door.bucket_count, hash);
    for (std::uint32_t tried = 0; tried < door.bucket_count; ++tried) {
      const auto& bucket = door.buckets[at];
      for (auto hits = bucket.hits(wanted); hits != 0; hits &= hits - 1)
        if (const auto ref = bucket.refs[std::countr_zero(hits)]; found(ref)) return ref;
      if (bucket.passed == 0) break;
      if (++at == door.bucket_count) at = 0;
    }
    return no_ref;
  }
  static bool is_full(const Segment& s) { return s.count >= s.bucket_count * Bucket::size * 15 / 16; }
  static void add(Segment& s, Hash hash, Ref ref);
  template <class Into>
  void pour(const Segment& from, Into into) const;
  void make_room(Hash hash);
  void split(Hash hash);
  void put_doors(Hash hash);

  LargePages& memory_;
  const Pages& pages_;
  const std::uint32_t most_buckets_;
  std::vector<Segment> segments_;
  std::vector<Door> directory_;  // by the highest bits: several may lead into one segment
  unsigned depth_ = 0;
};

}  // namespace sancho::memory
