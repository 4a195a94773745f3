#include "stores/sqlite/write_queue.hpp"

#include <algorithm>

namespace sancho::sqlite {

// It is held for less than it takes to fall asleep.
std::unique_lock<std::mutex> WriteQueue::lock() {
  for (int tries = 0; tries < 100; ++tries)
    if (mutex_.try_lock()) return {mutex_, std::adopt_lock};
  return std::unique_lock(mutex_);
}

WriteQueue::Turn WriteQueue::enter(Place& place) {
  auto held = lock();
  auto turn = Turn::lead;
  if (led_) {
    // With room to put back all who have begun, which must not fail.
    const auto room = waiting_.size() + begun_ + 1;
    if (waiting_.capacity() < room) waiting_.reserve(2 * room);
    waiting_.push_back(&place);
    take_number(place);
    held.unlock();
    turn = wait(place);
  } else {
    led_ = true;
    if (going_ == 0) return turn;
    take_number(place);
    held.unlock();
  }
  if (turn == Turn::lead) let_go(place);
  give_number_back(place);
  if (turn == Turn::done) go();
  return turn;
}

WriteQueue::Turn WriteQueue::wait(Place& place) {
  for (;;) {
    const auto seen = sleepers_.calls();
    switch (place.step_.load()) {
      case Place::Step::leads: return Turn::lead;
      case Place::Step::done: return Turn::done;
      case Place::Step::begun: sleepers_.sleep(seen, place.who_, {}); break;
      case Place::Step::waits:
        sleepers_.sleep(seen, place.who_, place.deadline_.at());
        if (place.deadline_.passed() && withdraw(place)) return Turn::late;
    }
  }
}

bool WriteQueue::withdraw(Place& place) {
  const auto held = lock();
  return place.step_ == Place::Step::waits && std::erase(waiting_, &place) > 0;
}

// The last one calls who waits for them to be gone.
void WriteQueue::go() {
  if (--going_ > 0) return;
  if (const auto elect = elect_.load()) sleepers_.call(elect);
}

void WriteQueue::let_go(Place& place) {
  const auto until = std::min(gone_by_, place.deadline_.at());
  elect_ = place.who_;
  for (;;) {
    const auto seen = sleepers_.calls();
    if (going_ == 0 || Deadline::Steady::now() >= until) break;
    sleepers_.sleep(seen, place.who_, until);
  }
  elect_ = 0;
}

void WriteQueue::take_number(Place& place) {
  const auto free = free_.load();
  place.who_ = free == 0 ? shared : free & -free;
  free_ &= ~place.who_;
}

void WriteQueue::give_number_back(Place& place) {
  if (place.who_ != shared) free_ |= place.who_;
}

WriteQueue::Place* WriteQueue::follow() {
  const auto held = lock();
  // Those whose deadline has passed are on their way out.
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const Place* p) { return p->alone_ || !p->deadline_.passed(); });
  if (next == waiting_.end() || (*next)->alone_) return nullptr;
  auto* place = *next;
  waiting_.erase(next);
  place->step_ = Place::Step::begun;
  ++begun_;
  return place;
}

void WriteQueue::put_back(std::span<Place* const> undone) noexcept {
  Sleepers::Who them = 0;
  {
    const auto held = lock();
    for (auto* place : undone) {
      them |= place->who_;
      place->alone_ = true;
      place->step_ = Place::Step::waits;
    }
    waiting_.insert(waiting_.begin(), undone.begin(), undone.end());
    begun_ = 0;
  }
  if (them) sleepers_.call(them);  // their deadlines count again
}

void WriteQueue::leave(std::span<Place* const> done, Deadline::Steady::duration patience) noexcept {
  if (!done.empty()) tell(done, patience);
  Sleepers::Who next = 0;
  {
    const auto held = lock();
    led_ = !waiting_.empty();
    if (led_) {
      next = waiting_.front()->who_;
      waiting_.front()->step_ = Place::Step::leads;
      waiting_.erase(waiting_.begin());
    }
  }
  if (next) sleepers_.call(next);
}

// One call wakes all of them. Waking takes as long as they take to come again, and who
// does it comes again itself: so the lead is given away afterwards.
void WriteQueue::tell(std::span<Place* const> done, Deadline::Steady::duration patience) noexcept {
  Sleepers::Who them = 0;
  {
    const auto held = lock();
    going_ += done.size();
    gone_by_ = Deadline::Steady::now() + patience;
    for (auto* place : done) {
      them |= place->who_;
      place->step_ = Place::Step::done;  // and may be gone from here on
    }
    begun_ = 0;
  }
  sleepers_.call(them);
}

}  // namespace sancho::sqlite
