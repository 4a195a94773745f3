// What the sweeps of several stores share: the order of things, and where a walk
// that stopped at its budget goes on.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "sancho/store.hpp"

namespace sancho {

// Records to a transaction, so that no request waits for long.
inline constexpr std::size_t sweep_batch = 100;

// First what is due, batch after batch, then what was not accessed for long, if
// that is asked for. `due(most, answer)` and `idle(accessed_before, most, answer)`
// add to the answer, and return whether there are more.
template <class Due, class Idle>
SweepAnswer sweep_in_batches(const SweepRequest& request, Deadline deadline, Due due, Idle idle) {
  SweepAnswer answer;
  std::size_t left = request.budget;
  answer.more = true;
  try {
    while (answer.more && left > 0 && !deadline.passed()) {
      const auto most = std::min(sweep_batch, left);
      answer.more = due(most, answer);
      left -= most;
    }
    if (!answer.more && request.accessed_before)
      answer.more = idle(*request.accessed_before, request.budget - answer.removed, answer);
  } catch (const StoreError&) {
    if (answer.removed == 0) throw;
    answer.more = true;  // what has gone must be told; the trouble will be back
  }
  return answer;
}

// ## Walking for what was not accessed for long
//
// A walk goes through all records in the order of their keys. A call that stops
// on the way leaves word where, and the next one goes on from there. So calls
// get to the end of a store that is too large for one of them, also if each asks
// for a later moment than the one before. Such a call has not met what lies
// before its beginning: behind the end it walks once more, from the first key on,
// before it says that nothing is left.

// Where a walk stopped. Thread safe: of two walks at once, one begins at the
// beginning.
class WalkPlace {
 public:
  struct Place {
    std::string after;     // the last key that was met; empty for the beginning
    Time accessed_before;  // the earliest moment that was asked for on the way here
    bool joined = false;   // what lies before was met for an earlier moment than that
  };

  Place take(Time accessed_before) {
    const std::lock_guard lock(mutex_);
    auto place = std::exchange(left_, std::nullopt).value_or(Place{{}, accessed_before});
    if (!place.after.empty() && place.accessed_before < accessed_before) place.joined = true;
    place.accessed_before = accessed_before;
    return place;
  }
  void leave(Place place) {
    const std::lock_guard lock(mutex_);
    left_ = std::move(place);
  }

 private:
  std::mutex mutex_;
  std::optional<Place> left_;
};

// A part of the walk: some records in the order of their keys.
struct WalkPart {
  std::string last;         // the key of the last one
  bool more = false;        // there may be another behind it
  std::size_t removed = 0;  // that were old
};

// One call of such a walk: removes at most `budget` records, and looks at twice
// as many, or at a batch. Leaves word where it stopped when it goes, also if a
// part has failed: that comes again.
//
//     OldWalk walk(place, accessed_before, budget);
//     while (const auto most = walk.next(deadline)) walk.seen(look_behind(walk.after(), *most));
//     return walk.more();
class OldWalk {
 public:
  OldWalk(WalkPlace& left, Time accessed_before, std::size_t budget)
      : left_(left), place_(left.take(accessed_before)), budget_(budget) {}
  ~OldWalk() {
    if (more_) left_.leave(std::move(place_));
  }
  OldWalk(const OldWalk&) = delete;
  OldWalk& operator=(const OldWalk&) = delete;

  // How many records to look at, behind the key `after`; nothing: no more now.
  std::optional<std::size_t> next(Deadline deadline) {
    const bool looked_enough = looked_ >= sweep_batch && looked_ / 2 >= budget_;
    if (!more_ || removed_ >= budget_ || looked_enough || deadline.passed()) return std::nullopt;
    most_ = std::min(sweep_batch, budget_ - removed_);
    return most_;
  }
  const std::string& after() const { return place_.after; }
  void seen(WalkPart part) {
    removed_ += part.removed;
    looked_ += most_;
    if (part.more)
      place_.after = std::move(part.last);
    else if (std::exchange(place_.joined, false))
      place_.after.clear();
    else
      more_ = false;
  }
  // Are there more?
  bool more() const { return more_; }

 private:
  WalkPlace& left_;
  WalkPlace::Place place_;
  const std::size_t budget_;
  std::size_t removed_ = 0, looked_ = 0, most_ = 0;
  bool more_ = true;
};

// The same, where `look(after, most)` looks at so many records behind `after`,
// and removes the old ones. Are there more?
template <class Look>
bool walk_for_old(WalkPlace& left, Time accessed_before, std::size_t budget, Deadline deadline, Look look) {
  OldWalk walk(left, accessed_before, budget);
  while (const auto most = walk.next(deadline)) walk.seen(look(walk.after(), *most));
  return walk.more();
}

}  // namespace sancho
