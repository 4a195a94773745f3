// # What is due first
//
// A heap of small numbers, each with the moment at which it is due, that knows
// where each of them is, so that a moment can be changed. Unlike a timing wheel it
// does not care how far a clock jumps, or whither.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sancho/time.hpp"
#include "stores/memory/make_room.hpp"

namespace sancho::memory {

class DueHeap {
 public:
  struct Entry {
    Time due;
    std::uint32_t id;
  };

  bool empty() const { return heap_.empty(); }
  // The one that is due first, of a heap that is not empty.
  const Entry& first() const { return heap_.front(); }
  Time due(std::uint32_t id) const { return heap_[place_[id]].due; }

  // `id` is not in it.
  void add(std::uint32_t id, Time due) {
    for (make_room_for_one(place_); id >= place_.size(); make_room_for_one(place_)) place_.push_back(absent);
    make_room_for_one(heap_);
    heap_.push_back({due, id});
    place_[id] = static_cast<std::uint32_t>(heap_.size() - 1);
    settle(heap_.size() - 1);
  }
  // `id` is in it.
  void move(std::uint32_t id, Time due) {
    heap_[place_[id]].due = due;
    settle(place_[id]);
  }
  void remove(std::uint32_t id) {
    const std::size_t at = place_[id];
    place_[id] = absent;
    const auto last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    heap_[at] = last;
    settle(at);
  }

 private:
  static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();

  // To where it belongs, from a place at which only it may be out of order.
  void settle(std::size_t at) {
    const auto entry = heap_[at];
    for (; at > 0 && entry.due < heap_[(at - 1) / 2].due; at = (at - 1) / 2) put(at, heap_[(at - 1) / 2]);
    for (auto child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].due < heap_[child].due) ++child;
      if (heap_[child].due >= entry.due) break;
      put(at, heap_[child]);
      at = child;
    }
    put(at, entry);
  }
  void put(std::size_t at, Entry entry) {
    heap_[at] = entry;
    place_[entry.id] = static_cast<std::uint32_t>(at);
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> place_;  // of each id in the heap
};

}  // namespace sancho::memory
