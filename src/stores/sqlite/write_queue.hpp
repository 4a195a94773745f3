// Whose turn it is to write, among the threads of one store object. They queue
// here, where whoever is done wakes the next, and not in SQLite, where they would
// nap and ask again.
//
// Whoever finds nobody writing *leads*: it does its own work, takes along what has
// come meanwhile, and ends with `leave`, which lets those go whose work was done
// and hands the lead to the first of the others.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include "base/sleepers.hpp"
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
    std::atomic<Step> step_ = Step::waits;
    Sleepers::Who who_ = 0;
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

 private:
  Turn wait(Place& place);
  bool withdraw(Place& place);
  void tell(std::span<Place* const> done, Deadline::Steady::duration patience) noexcept;
  void let_go(Place& place);
  void go();
  std::unique_lock<std::mutex> lock();
  void take_number(Place& place);
  void give_number_back(Place& place);

  // Of those who are asleep, some have a number for themselves, the others share one.
  static constexpr Sleepers::Who shared = 1u << 31;

  std::mutex mutex_;
  bool led_ = false;
  std::vector<Place*> waiting_;  // is empty if nobody leads
  std::size_t begun_ = 0;        // and neither done nor put back yet
  Deadline::Steady::time_point gone_by_{};
  std::atomic<std::size_t> going_ = 0;      // are done and have not yet gone
  std::atomic<Sleepers::Who> elect_ = 0;    // who leads next and lets them go first
  std::atomic<Sleepers::Who> free_ = ~shared;
  Sleepers sleepers_;
};

}  // namespace sancho::sqlite
