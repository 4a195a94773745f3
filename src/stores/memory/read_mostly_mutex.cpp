#include "stores/memory/read_mostly_mutex.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <limits>

namespace sancho::memory {

namespace {
constexpr unsigned no_number = std::numeric_limits<unsigned>::max();
std::atomic<unsigned> next_number = 0;
thread_local unsigned my_number = no_number;

void pause() {
#ifdef __SSE2__
  _mm_pause();
#endif
}
}  // namespace

Readers::Place& Readers::mine() {
  if (my_number == no_number) my_number = next_number++ % std::tuple_size_v<decltype(places_)>;
  auto used = used_.load();
  while (used <= my_number && !used_.compare_exchange_weak(used, my_number + 1)) {}
  return places_[my_number];
}

// Those inside copy a record and leave; only one that was suspended there takes
// longer than the spinning.
void Readers::wait_for(const ReadMostlyMutex& mutex) const {
  const auto used = used_.load();
  for (unsigned i = 0; i < used; ++i)
    for (unsigned n = 0; places_[i].inside.load() == &mutex; ++n) n < 200 ? pause() : std::this_thread::yield();
}

}  // namespace sancho::memory
