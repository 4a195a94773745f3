// # A mutex that readers need not touch
//
// Readers of what hardly changes write into a cache line of their own only, so
// they do not slow each other down, on however many processors. A writer closes
// the mutex to such readers and waits until those inside have left, which costs a
// look at each one's line; afterwards readers lock it like everybody, until enough
// of them have come with no writer between. (The idea is BRAVO's: Dice and Kogan,
// "BRAVO: Biased Locking for Reader-Writer Locks", 2019.)
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/thread_place.hpp"

namespace sancho {

// Where readers say which mutex they are inside of: a place a thread, shared by
// the mutexes of a store.
class Readers {
 public:
  struct alignas(128) Place {
    std::atomic<const void*> inside = nullptr;
  };

  // This thread's.
  Place& mine() {
    const auto number = thread_place();
    auto used = used_.load();
    while (used <= number && !used_.compare_exchange_weak(used, number + 1)) {}
    return places_[number];
  }

  // Is somebody inside of it?
  bool inside(const void* mutex) const {
    const auto used = used_.load();
    for (unsigned i = 0; i < used; ++i)
      if (places_[i].inside.load() == mutex) return true;
    return false;
  }
  // Until nobody is. It is closed, so nobody comes.
  //
  // For readers who are soon out again; only one that was suspended inside takes
  // longer than the spinning.
  void wait_for(const void* mutex) const {
    const auto used = used_.load();
    for (unsigned i = 0; i < used; ++i)
      for (unsigned n = 0; places_[i].inside.load() == mutex; ++n) n < 200 ? pause() : std::this_thread::yield();
  }

 private:
  static void pause() {
#ifdef __SSE2__
    _mm_pause();
#endif
  }
  std::array<Place, thread_places> places_;
  std::atomic<unsigned> used_ = 0;  // of the places, none behind has ever been
};

// `Mutex` is what everybody locks while it is closed; readers share it if it can be
// shared.
template <class Mutex>
class alignas(64) ReadMostlyMutex {
 public:
  // For a writer. Not recursive, not for a thread that reads.
  class Writing {
   public:
    Writing(ReadMostlyMutex& mutex, const Readers& readers) : lock_(mutex.mutex_) {
      if (mutex.close()) readers.wait_for(&mutex);
    }
    // Waits for nobody; false if somebody is inside.
    Writing(ReadMostlyMutex& mutex, const Readers& readers, std::try_to_lock_t) : lock_(mutex.mutex_, std::try_to_lock) {
      if (!lock_ || !mutex.close() || !readers.inside(&mutex)) return;
      mutex.open_ = true;  // as it was: while it is closed, nobody is inside unlocked
      lock_.unlock();
    }
    explicit operator bool() const { return lock_.owns_lock(); }

   private:
    std::unique_lock<Mutex> lock_;
  };

  class Reading {
   public:
    Reading(ReadMostlyMutex& mutex, Readers& readers) {
      if (mutex.open_.load(std::memory_order_relaxed) && enter(mutex, readers.mine())) return;
      if constexpr (shared) mutex.mutex_.lock_shared();
      else mutex.mutex_.lock();
      locked_ = &mutex.mutex_;
      if (mutex.readers_alone_.fetch_add(1, std::memory_order_relaxed) + 1 == worth_opening) mutex.open_ = true;
    }
    ~Reading() {
      if (place_) place_->inside.store(nullptr, std::memory_order_release);
      else if constexpr (shared) locked_->unlock_shared();
      else locked_->unlock();
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    static constexpr bool shared = requires(Mutex& m) { m.lock_shared(); };

    // First said, then looked, and a writer the other way round: one of the two
    // sees the other (all four are sequentially consistent).
    bool enter(const ReadMostlyMutex& mutex, Readers::Place& place) {
      const void* nobody = nullptr;
      if (!place.inside.compare_exchange_strong(nobody, &mutex)) return false;
      if (mutex.open_) {
        place_ = &place;
        return true;
      }
      place.inside.store(nullptr, std::memory_order_release);
      return false;
    }

    Readers::Place* place_ = nullptr;
    Mutex* locked_ = nullptr;
  };

 private:
  // By whoever has locked it. Might somebody be inside who has not?
  bool close() {
    readers_alone_.store(0, std::memory_order_relaxed);
    if (!open_.load(std::memory_order_relaxed)) return false;
    open_ = false;
    return true;
  }

  static constexpr unsigned worth_opening = 16;
  std::atomic<bool> open_ = false;
  Mutex mutex_;
  std::atomic<unsigned> readers_alone_ = 0;  // that locked it since the last writer
};

}  // namespace sancho
