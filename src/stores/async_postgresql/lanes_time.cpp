// Deadlines, and connections that have gone silent: one timer for all.
#include <algorithm>

#include "stores/async_postgresql/lanes.hpp"

namespace sancho::postgresql {

namespace {
// Behind a question to which there was no answer in time, a connection on which
// nothing has come for as long as that had, within these bounds, is not used any
// more.
constexpr std::chrono::nanoseconds shortest_silence = std::chrono::milliseconds{100},
                                   longest_silence = std::chrono::seconds{1};
}  // namespace

void Lanes::arm(Moment when) {
  if (when >= timer_at_) return;
  timer_at_ = when;
  lent_->timer.expires_at(when);
  lent_->timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->closed_) self->on_time();
  });
}

void Lanes::on_time() {
  timer_at_ = Moment::max();
  const auto now = Deadline::Steady::now();
  auto next = std::min(let_go_of_late(waiting_, now), let_go_of_late(setups_, now));
  if (next != Moment::max() && !connecting_ && not_before_ > now) next = std::min(next, not_before_);
  const auto all = lanes_;
  for (const auto& lane : all) next = std::min(next, look_at(lane, now));
  arm(next);
  pump();
}

// Of those who wait for a connection. The next moment to look.
Lanes::Moment Lanes::let_go_of_late(Asks& queue, Moment now) {
  auto next = Moment::max();
  Asks kept;
  for (auto& ask : queue) {
    if (is_over(*ask)) continue;
    if (ask->until.at() > now) {
      next = std::min(next, ask->until.at());
      kept.push_back(std::move(ask));
    } else {
      refuse_late(ask);
    }
  }
  queue = std::move(kept);
  return next;
}

void Lanes::refuse_late(const std::shared_ptr<Ask>& ask) {
  refuse(ask, std::make_exception_ptr(
                  StoreError(Trouble::unavailable, verbs_->name() + ": the deadline passed before one of its " +
                                                       std::to_string(most_lanes_) + " connections was free")));
}

// Lets those go whose answer is late.
Lanes::Moment Lanes::look_at(const LanePtr& lane, Moment now) {
  auto next = Moment::max();
  bool awaited = false;
  for (const auto& ask : lane->under_way) {
    if (ask->until.at() > now) {
      awaited = awaited || !is_over(*ask);
      next = std::min(next, ask->until.at());
      continue;
    }
    end(ask, {.results = {},
              .failure =
                  Failure{.what = "the deadline passed before the server answered", .late = true, .maybe_done = true}});
    const auto patience =
        std::clamp<std::chrono::nanoseconds>(ask->until.at() - ask->since, shortest_silence, longest_silence);
    if (now >= lane->heard + patience)
      lane->retired = true;
    else
      next = std::min(next, lane->heard + patience);
  }
  if (!lane->retired || awaited) return next;
  drop(lane);
  return Moment::max();
}

}  // namespace sancho::postgresql
