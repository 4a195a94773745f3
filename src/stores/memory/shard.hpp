// # A part of the store
//
// Records by key, with one lock. Whoever calls holds it: `mutex` for reading where
// the function is const, else for writing.
#pragma once

#include <optional>
#include <vector>

#include "sancho/store.hpp"
#include "stores/memory/packed.hpp"
#include "stores/memory/pages.hpp"
#include "stores/memory/subjects.hpp"
#include "stores/memory/table.hpp"
#include "stores/read_mostly_mutex.hpp"

namespace sancho::memory {

using ShardMutex = ReadMostlyMutex<std::mutex>;

class Shard {
 public:
  Shard(LargePages& memory, Subjects& subjects, std::uint32_t most_buckets)
      : subjects_(subjects), pages_(memory), table_(memory, pages_, most_buckets) {}

  ShardMutex mutex;

  // A record, and where it lies: until the shard changes.
  struct Place : Packed {
    Ref ref;
  };
  // Asks for the memory that a look for a record will begin with.
  void expect(Hash hash) const { table_.expect(hash); }
  // Expired ones too, which everybody else calls absent.
  std::optional<Place> find(const SessionKey& key, Hash hash) const;
  // The records whose keys have this hash.
  template <class Each>
  void each_of(Hash hash, Each each) const {
    table_.each_of(hash, [&](Ref ref) { each(Packed(pages_.at(ref))); });
  }

  // There is none of this key. Throws with nothing changed.
  void insert(const SessionKey& key, Hash hash, const Record& record);
  // What is there has this key and the same subject. The record is written with
  // another access time. Throws with nothing changed.
  void replace(const Place& there, const SessionKey& key, Hash hash, const Record& record, Time accessed);
  void remove(const Place& there);

  // Is there something that `remove_expired` would look at?
  bool has_due(Time now) const { return pages_.next_due() <= now; }
  // Looks at one page at least, if there is one to look at, and at no more than a
  // few; removes no more than `most`. Returns how many records it has looked at.
  std::size_t remove_expired(Time now, std::size_t most, SweepAnswer& answer);

  // The part of the records in which the hash `from` lies, and where the next
  // begins: `each(Packed)`. All parts one after another have each record once, also
  // if the store changes between two.
  template <class Each>
  std::optional<Hash> part(Hash from, Each each) const {
    std::vector<Ref> refs;
    const auto next = table_.segment(from, refs);
    for (const auto ref : refs) each(Packed(pages_.at(ref)));
    return next;
  }
  // Of this part the sessions that were not accessed since: no more than `most`.
  // False: there may be another in it.
  bool remove_old(Hash from, Time accessed_before, std::size_t most, SweepAnswer& answer);

 private:
  void remove(Ref ref);
  void thin_out(Ref ref);
  void write(Ref ref, const Shape& shape, const SessionKey& key, const Record& record, Time accessed, std::uint32_t entry);
  void remove_all(const Ref* refs, std::size_t n, SweepAnswer& answer);

  Subjects& subjects_;
  Pages pages_;
  Table table_;
};

// Live, and not accessed since.
inline bool is_old(const Packed& record, Time accessed_before) {
  return record.state() == State::live && record.accessed() < accessed_before;
}

}  // namespace sancho::memory
