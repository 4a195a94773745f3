// # A mutex that readers need not touch
//
// Readers of what hardly changes write into a cache line of their own only, so
// they do not slow each other down, on however many processors. A writer closes
// the mutex to such readers and waits until those inside have left, which costs a
// look at each one's line; afterwards readers lock it like writers, until enough
// of them have come with no writer between. (The idea is BRAVO's: Dice and Kogan,
// "BRAVO: Biased Locking for Reader-Writer Locks", 2019.)
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

namespace sancho::memory {

class ReadMostlyMutex;

// Where readers say which mutex they are inside of: a place a thread, shared by
// the mutexes of a store. Threads that share one are correct, and slower.
class Readers {
 public:
  struct alignas(128) Place {
    std::atomic<const ReadMostlyMutex*> inside = nullptr;
  };

  // This thread's.
  Place& mine();

  // Until nobody is inside of it. It is closed, so nobody comes.
  void wait_for(const ReadMostlyMutex& mutex) const;

 private:
  std::array<Place, 64> places_;
  std::atomic<unsigned> used_ = 0;  // of the places, none behind has ever been
};

class alignas(64) ReadMostlyMutex {
 public:
  // For a writer. Not recursive, not for a thread that reads.
  class Writing {
   public:
    Writing(ReadMostlyMutex& mutex, const Readers& readers) : lock_(mutex.mutex_) {
      mutex.readers_alone_ = 0;
      if (!mutex.open_.load(std::memory_order_relaxed)) return;
      mutex.open_ = false;
      readers.wait_for(mutex);
    }

   private:
    std::unique_lock<std::mutex> lock_;
  };

  class Reading {
   public:
    Reading(ReadMostlyMutex& mutex, Readers& readers) {
      if (mutex.open_.load(std::memory_order_relaxed) && enter(mutex, readers.mine())) return;
      mutex.mutex_.lock();
      locked_ = &mutex.mutex_;
      if (++mutex.readers_alone_ == worth_opening) mutex.open_ = true;
    }
    ~Reading() {
      if (place_) place_->inside.store(nullptr, std::memory_order_release);
      else locked_->unlock();
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    // First said, then looked, and a writer the other way round: one of the two
    // sees the other (all four are sequentially consistent).
    bool enter(const ReadMostlyMutex& mutex, Readers::Place& place) {
      const ReadMostlyMutex* nobody = nullptr;
      if (!place.inside.compare_exchange_strong(nobody, &mutex)) return false;
      if (mutex.open_) {
        place_ = &place;
        return true;
      }
      place.inside.store(nullptr, std::memory_order_release);
      return false;
    }

    Readers::Place* place_ = nullptr;
    std::mutex* locked_ = nullptr;
  };

 private:
  static constexpr unsigned worth_opening = 16;
  std::atomic<bool> open_ = false;
  std::mutex mutex_;
  unsigned readers_alone_ = 0;  // that locked it since the last writer
};

}  // namespace sancho::memory
