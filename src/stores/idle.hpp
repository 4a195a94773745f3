// # What lies idle until the next call
//
// Connections and the like, which any thread may take and give back. A thread finds
// what it gave back last without touching what others touch; if there is nothing,
// it takes what somebody else has left. Owns nothing: whoever has an `Idle` takes
// all of it before it goes.
#pragma once

#include <array>
#include <atomic>

#include "base/thread_place.hpp"

namespace sancho {

template <class T>
class Idle {
 public:
  // Null if there is nothing.
  T* take() noexcept {
    if (auto* mine = places_[thread_place()].item.exchange(nullptr, std::memory_order_acquire)) return mine;
    for (auto& place : places_)
      if (place.item.load(std::memory_order_relaxed))
        if (auto* item = place.item.exchange(nullptr, std::memory_order_acquire)) return item;
    return nullptr;
  }

  // False: there is no room for it.
  bool give(T* item) noexcept {
    const auto first = thread_place();
    for (unsigned i = 0; i < thread_places; ++i) {
      T* nothing = nullptr;
      auto& place = places_[(first + i) % thread_places].item;
      if (place.compare_exchange_strong(nothing, item, std::memory_order_release, std::memory_order_relaxed)) return true;
    }
    return false;
  }

 private:
  struct alignas(128) Place {
    std::atomic<T*> item = nullptr;
  };
  std::array<Place, thread_places> places_;
};

}  // namespace sancho
