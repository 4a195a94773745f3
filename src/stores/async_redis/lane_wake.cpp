// Letting those go on who have been answered.
//
// A coroutine of the lane's own loop can go on within the handler of what arrived:
// no handler of its own has to be made, queued and taken from the queue, and what
// all of them ask next leaves before the loop is asked for anything. But then they
// go on one after the other, on this thread. So it is done only where no other was
// seen for a while; and from time to time not, in case that others stand idle.
//
// The look at the queue that the first who asks has posted stays: one of them may
// run the loop, and wait there for what another has asked.
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "stores/async_redis/lane.hpp"

namespace sancho::redis {

namespace asio = boost::asio;

// Those who have been answered by what arrived at once.
class Lane::Round {
 public:
  explicit Round(Lane& lane) : lane_(lane) {}
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  // A coroutine has thrown something: the others go on all the same.
  ~Round() {
    for (; next_ < asks_.size(); ++next_) asks_[next_]->wake();
    if (!over_) lane_.look_later();
  }

  // While it is being filled, this lane's on this thread; or null.
  static Round* of(const Lane& lane) { return filling_ && &filling_->lane_ == &lane ? filling_ : nullptr; }
  template <class Fill>
  void filled_by(Fill fill) {
    const Filling now(*this);
    fill();
  }
  void add(Asks answered) {
    if (asks_.empty()) return asks_.swap(answered);
    asks_.insert(asks_.end(), answered.begin(), answered.end());
  }

  void go_on() {
    while (next_ < asks_.size()) {
      const auto ask = std::move(asks_[next_++]);
      ask->wake_within(*lane_.loop_);
    }
    over_ = true;
    if (next_ > 0) lane_.look_now();
  }

 private:
  // What it was, however it ends.
  class Filling {
   public:
    explicit Filling(Round& round) : before_(filling_) { filling_ = &round; }
    ~Filling() { filling_ = before_; }
    Filling(const Filling&) = delete;
    Filling& operator=(const Filling&) = delete;

   private:
    Round* const before_;
  };

  static thread_local constinit Round* filling_;
  Lane& lane_;
  Asks asks_;
  std::size_t next_ = 0;
  bool over_ = false;
};

thread_local constinit Lane::Round* Lane::Round::filling_ = nullptr;

bool Lane::in_round() const { return Round::of(*this); }

// With the mutex.
void Lane::seen_here() {
  const auto here = std::this_thread::get_id();
  if (seen_on_ != here)
    seen_on_ = here, calm_ = 0;
  else if (calm_ < calm_enough)
    ++calm_;
}

// From the socket, on its executor.
void Lane::arrived(const boost::system::error_code& error, std::size_t size, std::size_t era) {
  bool together = false;
  {
    const std::lock_guard lock(mutex_);
    seen_here();
    together = loop_ && calm_ >= calm_enough && ++rounds_ % round_for_others != 0;
  }
  const auto receive = [this, &error, size, era] {
    asio::dispatch(lent_->strand, [self = shared_from_this(), error, size, era] {
      if (era == self->era_) self->received(error, size);
    });
  };
  if (!together) return receive();
  Round round(*this);
  round.filled_by(receive);  // at once, unless the strand is busy
  round.go_on();
}

void Lane::wake(Asks answered) {
  if (auto* round = Round::of(*this)) return round->add(std::move(answered));
  for (const auto& ask : answered) ask->wake();
}

void Lane::look_later() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stirred_, true)) return;
  }
  post_look();
}

// Not onto the strand, which would be taken until then, and could not be used before.
void Lane::post_look() {
  asio::post(lent_->strand.get_inner_executor(), [self = shared_from_this()] {
    asio::dispatch(self->lent_->strand, [self] { self->stir(); });
  });
}

// Who was to ask again has done so, and has posted a look; what they asked need not
// wait for it. If nobody has, somebody may yet.
void Lane::look_now() {
  bool asked = false, none_sent = false, idle = false;
  {
    const std::lock_guard lock(mutex_);
    asked = sent_ < queue_.size();
    none_sent = sent_ == 0;
    idle = queue_.empty();
  }
  if (asked)
    asio::dispatch(lent_->strand, [self = shared_from_this(), none_sent] {
      if (self->state_ != State::up || self->resting_) return;
      if (none_sent) self->heard_ = Deadline::Steady::now();
      self->write();
    });
  else if (idle)
    look_later();
}

}  // namespace sancho::redis
