// Whose turn it is to write, among the threads of one store object. They queue
// here, where whoever is done wakes the next, and not in SQLite, where they would
// nap and ask again.
//
// Whoever finds nobody writing *leads*: it does its own work, takes along what has
// come meanwhile, and ends with `leave`, which lets those go whose work was done
// and hands the lead to the first of the others.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "sancho/time.hpp"

namespace sancho::sqlite {

class WriteQueue {
 public:
  // A call that waits; lives with its caller until `enter` returns, or `leave` does.
  class Place {
   public:
    // `alone`: neither takes others along nor is taken.
    Place(Deadline deadline, bool alone) : deadline_(deadline), alone_(alone) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Deadline deadline() const { return deadline_; }
    bool alone() const { return alone_; }
    void stay_alone() { alone_ = true; }

   private:
    friend class WriteQueue;
    enum class Step { waits, begun, done, leads };
    Deadline deadline_;
    bool alone_;
    Step step_ = Step::waits;
    std::condition_variable* bell_ = nullptr;
  };

  enum class Turn {
    lead,  // it is this one's turn; `leave` must follow
    done,  // who led has seen to it
    late,  // the deadline passed, and nothing has begun
  };
  // Waits until one of these is true. Work that has begun is waited for beyond the
  // deadline, since it cannot be called off.
  Turn enter(Place& place);

  // For who leads: the next that may come along, which has begun then; or null.
  Place* follow();
  // For who leads: what had begun was undone. These wait again, before all others,
  // and each alone.
  void put_back(std::span<Place* const> undone) noexcept;
  // Ends the lead. The work of these is done, or has failed. Who leads next first
  // lets them go, for as long as `patience` says: those who shared a commit mostly
  // come again together, and one without them would keep them waiting.
  void leave(std::span<Place* const> done, Deadline::Steady::duration patience) noexcept;

  // In a child of the process whose threads wait here: then nothing can be waited
  // for, not even to destroy it.
  void abandon() noexcept;

 private:
  using Bell = std::condition_variable;
  Turn wait(Place& place, std::unique_lock<std::mutex>& lock);
  void let_go(Place& place, std::unique_lock<std::mutex>& lock);
  void go(Place& place, std::unique_lock<std::mutex>& lock);
  void ring(std::unique_lock<std::mutex>& lock) noexcept;
  Bell* take_bell();

  std::mutex mutex_;
  bool led_ = false;
  std::size_t going_ = 0;        // are done and have not yet gone
  Bell* elect_ = nullptr;        // of who leads next and lets them go first
  Deadline::Steady::time_point gone_by_{};
  std::vector<Place*> waiting_;  // is empty if nobody leads
  // They outlive the calls: a place may be gone when its bell is rung.
  std::vector<std::unique_ptr<Bell>> bells_;
  std::vector<Bell*> idle_bells_;
  std::vector<Bell*> to_ring_;  // of those who are done and may still sleep
};

}  // namespace sancho::sqlite
