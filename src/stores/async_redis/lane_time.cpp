// Deadlines: one timer for all that wait.
#include <algorithm>

#include "stores/async_redis/lane.hpp"

namespace sancho::redis {

void Lane::arm(Moment when) {
  if (when >= timer_at_) return;
  timer_at_ = when;
  lent_->timer.expires_at(when);
  lent_->timer.async_wait([self = shared_from_this(), era = era_](const boost::system::error_code& error) {
    if (error || era != self->era_) return;
    self->timer_at_ = Moment::max();
    self->on_time();
  });
}

// Those whose time is over; when to look `next`; whether the server has been
// silent for so long that it must be taken for dead.
Lane::Asks Lane::late_ones(Moment now, Moment& next, bool& silent) {
  Asks late;
  const std::lock_guard lock(mutex_);
  const bool up = state_ == State::up;
  bool forsaken = false;
  for (std::size_t i = 0; i < queue_.size();) {
    auto ask = queue_[i];
    const bool sent = i < sent_;
    if (ask->stage != Ask::Stage::over && ask->until.at() <= now) {
      ask->stage = Ask::Stage::over;
      ask->end = Ask::End::lost;
      // What is in the packet may leave yet, whatever has left of it so far.
      ask->lost = {{late_words(), sent, true}, up, ask->old};
      late.push_back(ask);
    }
    const bool over = ask->stage == Ask::Stage::over;
    if (over && !sent) {
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    forsaken = forsaken || over;
    if (!over) next = std::min(next, ask->until.at());
    ++i;
  }
  if (forsaken) {
    const auto dead_at = heard_ + rules_->connect_timeout;
    silent = now >= dead_at;
    if (!silent) next = std::min(next, Moment(dead_at));
  }
  return late;
}

void Lane::on_time() {
  const auto now = Deadline::Steady::now();
  auto next = Moment::max();
  bool silent = false;
  const auto late = late_ones(now, next, silent);
  for (const auto& ask : late) ask->wake();
  if (silent) return break_off("the server has been silent for too long");
  if (state_ == State::connecting) {
    if (now >= connect_by_) {
      connect_late_ = true;
      boost::system::error_code ignored;
      lent_->socket.close(ignored);
      if (lent_->resolver) lent_->resolver->cancel();
    } else {
      next = std::min(next, connect_by_);
    }
  }
  if (next != Moment::max()) arm(next);
}

}  // namespace sancho::redis
