// Memory that is asked for ahead of time: it lies anywhere, and its way to the processor
// takes as long as some hundred instructions.
#pragma once

#include <cstddef>

namespace sancho::memory {

inline void fetch([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t size) {
#ifdef __GNUC__
  for (std::size_t i = 0; i < size; i += 64) __builtin_prefetch(static_cast<const char*>(at) + i);
#endif
}

}  // namespace sancho::memory
