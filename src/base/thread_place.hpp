// # A small number of each thread's own
//
// For what threads share and need not touch at once: each begins at the place of
// its number, on a cache line that the others leave alone. With more threads than
// places some have the same one, which is slower and no less correct.
#pragma once

#include <atomic>

namespace sancho {

inline constexpr unsigned thread_places = 64;

namespace detail {
inline std::atomic<unsigned> next_thread_place = 0;
inline thread_local constinit unsigned my_thread_place = thread_places;  // until it is asked for
}  // namespace detail

inline unsigned thread_place() noexcept {
  auto& mine = detail::my_thread_place;
  if (mine == thread_places) mine = detail::next_thread_place.fetch_add(1, std::memory_order_relaxed) % thread_places;
  return mine;
}

}  // namespace sancho
