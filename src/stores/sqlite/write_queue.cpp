#include "stores/sqlite/write_queue.hpp"

#include <algorithm>

namespace sancho::sqlite {

WriteQueue::Turn WriteQueue::enter(Place& place) {
  std::unique_lock lock(mutex_);
  if (!led_ && going_ == 0) return led_ = true, Turn::lead;
  place.bell_ = take_bell();
  auto turn = Turn::lead;
  if (led_) {
    waiting_.push_back(&place);
    turn = wait(place, lock);
  }
  if (turn == Turn::lead) {
    led_ = true;
    let_go(place, lock);
  }
  idle_bells_.push_back(place.bell_);
  if (turn == Turn::done) go(place, lock);
  return turn;
}

void WriteQueue::go(Place& place, std::unique_lock<std::mutex>& lock) {
  std::erase(to_ring_, place.bell_);
  auto* last_one_calls = --going_ == 0 ? elect_ : nullptr;
  ring(lock);
  if (last_one_calls) last_one_calls->notify_one();
}

// Each rings for two, and these for two more: so nobody is kept by waking all.
void WriteQueue::ring(std::unique_lock<std::mutex>& lock) noexcept {
  Bell* now[2] = {};
  for (auto*& bell : now)
    if (!to_ring_.empty()) {
      bell = to_ring_.back();
      to_ring_.pop_back();
    }
  lock.unlock();
  for (auto* bell : now)
    if (bell) bell->notify_one();
}

void WriteQueue::let_go(Place& place, std::unique_lock<std::mutex>& lock) {
  elect_ = place.bell_;
  elect_->wait_until(lock, std::min(gone_by_, place.deadline_.at()), [this] { return going_ == 0; });
  elect_ = nullptr;
}

WriteQueue::Turn WriteQueue::wait(Place& place, std::unique_lock<std::mutex>& lock) {
  for (;;) {
    switch (place.step_) {
      case Place::Step::leads: return Turn::lead;
      case Place::Step::done: return Turn::done;
      case Place::Step::begun: place.bell_->wait(lock); break;
      case Place::Step::waits:
        if (place.bell_->wait_until(lock, place.deadline_.at()) == std::cv_status::no_timeout) break;
        if (place.step_ != Place::Step::waits) break;
        std::erase(waiting_, &place);
        return Turn::late;
    }
  }
}

// With room for all in the lists that must not fail to grow later.
WriteQueue::Bell* WriteQueue::take_bell() {
  if (idle_bells_.empty()) {
    auto bell = std::make_unique<Bell>();
    for (auto* list : {&idle_bells_, &to_ring_}) list->reserve(bells_.size() + 1);
    waiting_.reserve(bells_.size() + 1);
    bells_.push_back(std::move(bell));
    return bells_.back().get();
  }
  auto* bell = idle_bells_.back();
  idle_bells_.pop_back();
  return bell;
}

WriteQueue::Place* WriteQueue::follow() {
  const std::lock_guard lock(mutex_);
  // Those whose deadline has passed are on their way out.
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const Place* p) { return p->alone_ || !p->deadline_.passed(); });
  if (next == waiting_.end() || (*next)->alone_) return nullptr;
  auto* place = *next;
  waiting_.erase(next);
  place->step_ = Place::Step::begun;
  return place;
}

void WriteQueue::put_back(std::span<Place* const> undone) noexcept {
  const std::lock_guard lock(mutex_);
  for (auto* place : undone) {
    place->step_ = Place::Step::waits;
    place->alone_ = true;
    place->bell_->notify_one();  // its deadline counts again
  }
  waiting_.insert(waiting_.begin(), undone.begin(), undone.end());
}

void WriteQueue::leave(std::span<Place* const> done, Deadline::Steady::duration patience) noexcept {
  std::unique_lock lock(mutex_);
  for (auto* place : done) {
    place->step_ = Place::Step::done;
    to_ring_.push_back(place->bell_);
  }
  going_ += done.size();
  if (!done.empty()) gone_by_ = Deadline::Steady::now() + patience;
  led_ = !waiting_.empty();
  Bell* next = nullptr;
  if (led_) {
    waiting_.front()->step_ = Place::Step::leads;
    next = waiting_.front()->bell_;
    waiting_.erase(waiting_.begin());
  }
  ring(lock);
  if (next) next->notify_one();
}

// A condition that somebody waits on cannot be destroyed, and its waiters are
// threads of the parent's.
void WriteQueue::abandon() noexcept {
  for (auto& bell : bells_) static_cast<void>(bell.release());
}

}  // namespace sancho::sqlite
