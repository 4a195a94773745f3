// Memory that the kernel wipes in the child of a fork, in the very moment it makes
// it, whoever forks and by what call.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace sancho {

// Full of zeros, here and again in a child; or null, where that cannot be had.
inline void* page_wiped_by_fork([[maybe_unused]] std::size_t size) {
#if defined(MADV_WIPEONFORK)
  void* page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  // An emulator that says yes to whatever it does not know is found out.
  const bool honest = madvise(page, size, -1) != 0;
  if (honest && madvise(page, size, MADV_WIPEONFORK) == 0) return page;
  munmap(page, size);
#endif
  return nullptr;
}

// What getpid(2) says, without the call, which takes a microsecond where the kernel
// guards itself against its processor.
inline pid_t this_process() {
  static auto* const known = static_cast<std::atomic<pid_t>*>(page_wiped_by_fork(sizeof(std::atomic<pid_t>)));
  if (!known) return ::getpid();
  for (;;) {
    if (const pid_t process = known->load(std::memory_order_relaxed); process != 0) return process;
    const pid_t process = ::getpid();
    known->store(process, std::memory_order_relaxed);
    // A signal's handler may have forked in between, and this be the child.
    if (::getpid() != process) known->store(0, std::memory_order_relaxed);
  }
}

}  // namespace sancho
