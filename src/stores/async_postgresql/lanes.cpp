#include "stores/async_postgresql/lanes.hpp"

#include <algorithm>

#include "stores/postgresql/meaning.hpp"

namespace sancho::postgresql {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
// One connection takes no more at once: what has not been sent can be taken back,
// or go over another.
constexpr std::size_t most_under_way = 64;

// Who has just been heard of is there.
constexpr auto just = std::chrono::milliseconds{5};
}  // namespace

Lanes::Lanes(const asio::any_io_executor& executor, std::shared_ptr<Verbs> verbs, std::size_t most_waiting)
    : context_(&asio::query(executor, asio::execution::context)),
      verbs_(std::move(verbs)),
      most_waiting_(most_waiting),
      most_lanes_(verbs_->options().connections),
      lent_(std::make_unique<Lent>(executor)),
      gate_(Home::gate_of(executor)) {}

std::shared_ptr<Lanes> Lanes::make(const asio::any_io_executor& executor, std::shared_ptr<Verbs> verbs,
                                   std::size_t most_waiting) {
  const std::shared_ptr<Lanes> lanes(new Lanes(executor, std::move(verbs), most_waiting));
  lanes->gate_->pass([&] { lanes->gate_->enter(*lanes); });
  return lanes;
}

Lanes::~Lanes() {
  gate_->pass([this] {
    gate_->leave(*this);
    give_back();
  });
}

void Lanes::give_back() noexcept {
  for (const auto& lane : lanes_) lane->socket.reset();
  lent_.reset();
}

// The context has gone: nobody will answer.
void Lanes::leave() noexcept {
  Asks ended, sent;
  {
    const std::lock_guard lock(mutex_);
    const auto gather = [](Asks& all, Asks& to) {
      for (auto& ask : all)
        if (std::exchange(ask->stage, Ask::Stage::over) != Ask::Stage::over) to.push_back(std::move(ask));
      all.clear();
    };
    for (auto* queue : {&arrived_, &waiting_, &setups_}) gather(*queue, ended);
    for (const auto& lane : lanes_) gather(lane->under_way, sent);
    stirred_ = false;  // whoever comes now is told so
    const Failure gone{.what = "the executor that its connections belong to is gone"};
    for (const auto& ask : ended) ask->reply.failure = gone, ask->fresh = true;
    for (const auto& ask : sent) ask->reply.failure = gone, ask->reply.failure->maybe_done = ask->fresh = true;
  }
  for (const auto& ask : ended) ask->wake();
  for (const auto& ask : sent) ask->wake();
}

// ## From any thread

std::shared_ptr<Ask> Lanes::ask(std::span<const Step> steps, Deadline until) {
  if (*calls_ >= most_waiting_)
    throw StoreError(
        Trouble::unavailable,
        verbs_->name() + ": " + std::to_string(most_waiting_) +
            " calls wait for answers already, which is all that may (AsyncPostgresqlOptions::max_waiting)");
  auto ask = std::make_shared<Ask>(steps, until, calls_);
  bool there = true;
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(ask);
    if (std::exchange(stirred_, true)) return ask;
    // Later, so that who else is about to ask gets into the same packet.
    there = gate_->pass([this] { asio::post(lent_->strand, [self = shared_from_this()] { self->stir(); }); });
    if (!there) stirred_ = false;
  }
  if (!there) leave();
  return ask;
}

void Lanes::withdraw(const std::shared_ptr<Ask>& ask) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ask->stage, Ask::Stage::over) == Ask::Stage::over) return;
    ask->end = Ask::End::cancelled;
  }
  ask->wake();
}

std::function<void()> Lanes::withdrawal_of(Ask& ask) {
  return [lanes = shared_from_this(), self = ask.weak_from_this()] {
    if (const auto held = std::static_pointer_cast<Ask>(self.lock())) lanes->withdraw(held);
  };
}

std::shared_ptr<Gate> Lanes::gate_of(const asio::any_io_executor& executor) const {
  return belongs_to(asio::query(executor, asio::execution::context)) ? gate_ : Home::gate_of(executor);
}

void Lanes::close() {
  gate_->pass([this] {
    asio::post(lent_->strand, [self = shared_from_this()] {
      self->closed_ = true;
      while (!self->lanes_.empty()) self->drop(self->lanes_.back());
      self->lent_->timer.cancel();
      self->begin_attempt();  // which ends the one there is
    });
  });
}

// ## Ends

void Lanes::end(const std::shared_ptr<Ask>& ask, Reply reply) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ask->stage, Ask::Stage::over) == Ask::Stage::over) return;
    ask->reply = std::move(reply);
  }
  ask->wake();
}

void Lanes::refuse(const std::shared_ptr<Ask>& ask, std::exception_ptr why) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ask->stage, Ask::Stage::over) == Ask::Stage::over) return;
    ask->end = Ask::End::refused;
    ask->refused = std::move(why);
  }
  ask->wake();
}

void Lanes::refuse_all(std::exception_ptr why) {
  for (auto* queue : {&waiting_, &setups_})
    for (const auto& ask : std::exchange(*queue, {})) refuse(ask, why);
}

bool Lanes::is_over(const Ask& ask) {
  const std::lock_guard lock(mutex_);
  return ask.stage == Ask::Stage::over;
}

// ## Sending

void Lanes::stir() {
  auto earliest = Moment::max();
  bool none = false;
  {
    const std::lock_guard lock(mutex_);
    stirred_ = false;
    none = arrived_.empty();
    for (auto& ask : arrived_) {
      earliest = std::min(earliest, ask->until.at());
      auto& queue = ask->steps.empty() ? setups_ : waiting_;
      queue.push_back(std::move(ask));
    }
    arrived_.clear();
  }
  if (none && !busy()) return rest();
  arm(earliest);
  pump();
}

void Lanes::pump() {
  if (closed_) return refuse_all(std::make_exception_ptr(StoreError(Trouble::unavailable, "the store was closed")));
  const auto touched = assign();
  for (const auto& lane : touched) {
    write(lane);
    read(lane);
  }
  grow();
  if (busy() || timer_at_ == Moment::max()) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stirred_, true)) return;
  }
  // Behind those who have just been answered. Mostly they have asked again by then,
  // and all of that leaves at once; else the timer can rest.
  asio::post(lent_->strand, [self = shared_from_this()] { self->stir(); });
}

// Nobody waits, so nothing is waited for.
void Lanes::rest() {
  timer_at_ = Moment::max();
  lent_->timer.cancel();
}

bool Lanes::busy() const {
  return connecting_ || !waiting_.empty() || !setups_.empty() ||
         std::ranges::any_of(lanes_, [](const auto& lane) { return !lane->under_way.empty(); });
}

std::vector<Lanes::LanePtr> Lanes::assign() {
  std::vector<LanePtr> touched;
  const auto now = Deadline::Steady::now();
  while (!waiting_.empty()) {
    if (waiting_.front()->until.at() <= now) {
      refuse_late(waiting_.front());
      waiting_.pop_front();
      continue;
    }
    const auto lane = best_lane();
    if (!lane) break;
    if (lane->under_way.empty()) {
      if (now > lane->heard + just && !lane->pipeline.fit()) {  // it was closed while it lay idle
        drop(lane);
        continue;
      }
      lane->heard = now;
    }
    const auto ask = std::move(waiting_.front());
    waiting_.pop_front();
    if (put(*lane, ask) && std::ranges::find(touched, lane) == touched.end()) touched.push_back(lane);
    if (lane->retired && lane->under_way.empty()) drop(lane);
  }
  return touched;
}

// The one with least to do; null if none takes more.
Lanes::LanePtr Lanes::best_lane() const {
  const LanePtr* best = nullptr;
  for (const auto& lane : lanes_) {
    if (lane->retired || lane->writing || lane->under_way.size() >= most_under_way) continue;
    if (!best || lane->under_way.size() < (*best)->under_way.size()) best = &lane;
  }
  return best ? *best : nullptr;
}

bool Lanes::put(Lane& lane, const std::shared_ptr<Ask>& ask) {
  {
    const std::lock_guard lock(mutex_);
    if (ask->stage == Ask::Stage::over) return false;
    ask->stage = Ask::Stage::sent;
  }
  ask->fresh = ask->since < lane.opened;
  if (auto failure = lane.pipeline.put(ask->steps)) {
    lane.retired = true;
    end(ask, {.results = {}, .failure = std::move(failure)});
    return false;
  }
  ask->steps.clear();
  lane.under_way.push_back(ask);
  return true;
}

void Lanes::write(const LanePtr& lane) {
  if (lane->writing || lane->gone || lane->pipeline.flush()) return;
  lane->writing = true;
  lane->socket->async_wait(Socket::wait_write, [self = shared_from_this(), lane](const error_code& error) {
    lane->writing = false;
    if (error || lane->gone) return;
    self->write(lane);
    self->pump();
  });
}

// ## Listening

void Lanes::read(const LanePtr& lane) {
  if (lane->reading || lane->gone || lane->under_way.empty()) return;
  lane->reading = true;
  lane->socket->async_wait(Socket::wait_read, [self = shared_from_this(), lane](const error_code& error) {
    lane->reading = false;
    if (!error && !lane->gone) self->received(lane);
  });
}

void Lanes::received(const LanePtr& lane) {
  lane->heard = Deadline::Steady::now();
  lane->pipeline.consume();
  while (auto reply = lane->pipeline.next()) {
    const auto ask = std::move(lane->under_way.front());
    lane->under_way.pop_front();
    if (reply->failure && meaning_of(reply->failure->sqlstate).next == Next::elsewhere) lane->retired = true;
    end(ask, *std::move(reply));
  }
  lane->retired = lane->retired || !lane->pipeline.sound();
  if (lane->retired && lane->under_way.empty())
    drop(lane);
  else
    read(lane);
  pump();
}

// Who waits for it still will have no answer.
void Lanes::drop(const LanePtr& which) {
  const auto lane = which;  // of the list that it goes from
  lane->gone = true;
  std::erase(lanes_, lane);
  lane->pipeline.give_up({.what = "the connection was given up", .maybe_done = true});
  while (!lane->under_way.empty()) {
    const auto ask = std::move(lane->under_way.front());
    lane->under_way.pop_front();
    auto reply = lane->pipeline.next();
    end(ask, reply ? *std::move(reply) : Reply{});
  }
  lane->socket.reset();
}

}  // namespace sancho::postgresql
