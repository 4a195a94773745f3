// LMDB's own locks are waited for without end, and a process that is stopped
// holds them as long as it likes. So whoever is about to take one passes a gate
// first: locks on bytes of a file of ours, which the kernel gives back when a
// process dies, and which are waited for until a deadline and no longer.
#pragma once

#include <array>
#include <string>

#include "sancho/time.hpp"
#include "stores/timed_mutex.hpp"

namespace sancho::lmdb {

class Gate {
 public:
  // Opens the file, which must be there. A process must open it once only:
  // closing it a second time would give its locks away. Without the right to
  // write it there is no gate, and every pass is free: for readers.
  Gate(const std::string& path, const std::string& store);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  bool there() const { return fd_ >= 0; }

  enum class Lane {
    write,    // the write lock
    readers,  // the lock of the table of readers
    opening,  // the lock of whoever opens first, or closes last
  };

  // One thread of one process at a time. Throws `StoreError` (*unavailable*) at
  // the deadline; nothing has happened then.
  class Pass {
   public:
    Pass(Gate& gate, Lane lane, Deadline deadline);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
    Lane lane_;
  };

 private:
  enum class Byte { write, readers, opening, next_to_write };
  bool try_lock(Byte byte);
  void unlock(Byte byte) noexcept;
  void lock(Byte byte, int longest_nap, Deadline deadline);

  std::string store_;
  int fd_;
  std::array<TimedMutex, 3> threads_;
  int unqueued_ = 0;  // passes to write in a row that did not queue; the thread's that has passed
};

}  // namespace sancho::lmdb
