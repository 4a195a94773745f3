// # Where records lie
//
// Pages of up to 64 slots of one size, which differ by few bytes from one another,
// so that a record takes hardly more than its own bytes. A page is one block
// and goes when its last slot does; where too many slots of a size are free, those
// in use are moved together. A `Ref` names a slot, until it is given back or moved:
// its page, and how many words from its beginning, so that only the page's place
// has to be looked up on the way there.
//
// A page also knows when to look at it: not later than the first of its records
// expires. A record that was touched does not tell its page; whoever looks finds
// it alive, and says when to come again. So a touch costs nothing here, and a
// look is due at most once for each record and lifetime.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "stores/memory/due_heap.hpp"
#include "stores/memory/large_pages.hpp"

namespace sancho::memory {

using Ref = std::uint32_t;
constexpr Ref no_ref = std::numeric_limits<Ref>::max();

class Pages {
 public:
  static constexpr std::size_t most_slots = 64;

  explicit Pages(LargePages& memory) : memory_(memory) {}
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  // A slot of at least so many bytes; say when it is due. Throws `StoreError` (*full*)
  // if there are 262,144 pages already; what has more than 2 KiB has one for itself.
  Ref take(std::size_t size);
  void give_back(Ref ref);

  std::byte* at(Ref ref) const { return pages_[page_of(ref)] + offset_of(ref); }
  std::size_t slot_size(Ref ref) const { return details_[page_of(ref)].slot_size; }
  // What `slot_size` is for a record of this size.
  static std::size_t slot_size_for(std::size_t size);

  // The record's page is looked at by then; earlier, if that was said before.
  void due(Ref ref, Time when);

  // When there is something to look at.
  Time next_due() const { return order_.empty() ? Time::max() : order_.first().due; }

  // Calls `look(ref)` for all slots of the page that is due first whose moment
  // may have come; it says when to look at the slot again, `Time::max()` if it is
  // about to be given back. Meanwhile no slot is taken or given back.
  template <class Look>
  void look_at_first(Time now, Look look) {
    const auto id = order_.first().id;
    rebase(id, now);
    auto next = Time::max();
    for (auto used = used_in(id); used != 0; used &= used - 1) {
      const auto ref = ref_of(id, static_cast<unsigned>(std::countr_zero(used)));
      auto when = earliest(ref);
      if (when <= now) {
        when = look(ref);
        set_tick(ref, when);
      }
      next = std::min(next, when);
    }
    order_.move(id, next);
  }

  // Empties the page of this slot if too many slots of its size are free, and
  // more in this page than in others: `moved(from, to)` for each record in it.
  // Throws nothing, if `moved` does not. How many were moved?
  template <class Moved>
  std::size_t thin_out(Ref ref, Moved moved) {
    const auto id = page_of(ref);
    if (!too_empty(id)) return 0;
    unlink(id);
    std::size_t n = 0;
    for (auto used = used_in(id); used != 0; used &= used - 1, ++n) {
      const auto from = ref_of(id, static_cast<unsigned>(std::countr_zero(used)));
      const auto to = move(from);
      moved(from, to);
    }
    drop(id);
    return n;
  }

  // Bytes that were allocated for slots, and slots in use.
  std::size_t bytes() const { return bytes_; }
  std::size_t used() const { return used_; }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::int32_t no_base = std::numeric_limits<std::int32_t>::min();  // nothing in it was due yet
  using Tick = std::uint16_t;

  static constexpr unsigned offset_bits = 14;  // of a `Ref`, the lowest
  static constexpr std::size_t word = 4, most_bytes = word << offset_bits;
  static constexpr std::uint32_t most_pages = std::uint32_t{1} << (32 - offset_bits);
  static std::uint32_t page_of(Ref ref) { return ref >> offset_bits; }
  static std::size_t offset_of(Ref ref) { return (ref & ((Ref{1} << offset_bits) - 1)) * word; }
  Ref ref_of(std::uint32_t id, unsigned slot) const { return id << offset_bits | slot * details_[id].slot_size / static_cast<Ref>(word); }
  unsigned slot_of(Ref ref) const { return static_cast<unsigned>(offset_of(ref) / details_[page_of(ref)].slot_size); }

  // What is not needed to find a record.
  struct Details {
    std::uint64_t free = 0;                      // a bit a slot
    std::uint32_t slot_size = 0;
    std::int32_t base = no_base;                 // that ticks are counted from
    std::uint32_t before = none, behind = none;  // in the list of its class; `behind` also in that of unused ids
    std::uint16_t size_class = 0;
    std::uint8_t slots = 0;

    std::size_t bytes() const { return slots * (slot_size + sizeof(Tick)); }
  };
  // All pages of one size. Those with a free slot are in a list.
  struct Class {
    std::uint32_t first = none;
    std::uint32_t slots = 0, used = 0;
  };

  static std::uint64_t all(unsigned slots) { return slots == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << slots) - 1; }
  std::uint64_t used_in(std::uint32_t id) const { return ~details_[id].free & all(details_[id].slots); }
  static std::size_t class_of(std::size_t size);
  static unsigned slots_for(std::size_t slot_size, std::size_t there);
  std::uint32_t new_page(std::size_t size_class, std::size_t slot_size);
  std::uint32_t new_id();
  void link(std::uint32_t id);
  void unlink(std::uint32_t id);
  void drop(std::uint32_t id);
  bool too_empty(std::uint32_t id) const;
  Ref move(Ref from);

  std::byte* tick_at(std::uint32_t id, unsigned slot) const;
  Tick tick(std::uint32_t id, unsigned slot) const;
  void set_tick(Ref ref, Time when);
  void write_tick(std::uint32_t id, unsigned slot, Tick tick);
  Time earliest(Ref ref) const;
  void rebase(std::uint32_t id, Time now);

  LargePages& memory_;
  std::vector<std::byte*> pages_;  // the slots, then a tick for each
  std::vector<Details> details_;
  std::vector<Class> classes_;
  std::uint32_t unused_ = none;
  DueHeap order_;
  std::size_t bytes_ = 0, used_ = 0;
};

}  // namespace sancho::memory
