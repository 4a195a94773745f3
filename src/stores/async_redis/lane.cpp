#include "stores/async_redis/lane.hpp"

#include <poll.h>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>

#include <algorithm>

namespace sancho::redis {

namespace asio = boost::asio;

namespace {
// A packet: more of them would leave no sooner, and what has not left can be
// taken back.
constexpr std::size_t packet_size = 64 * 1024;

std::string no_protocol(const ProtocolError& e) {
  return std::string("what came is not Redis' protocol: ") + e.what();
}
}  // namespace

Lane::Lane(const asio::any_io_executor& executor, std::shared_ptr<Gate> gate, Endpoint to,
           std::shared_ptr<const LaneRules> rules)
    : to_(std::move(to)),
      rules_(std::move(rules)),
      context_(&asio::query(executor, asio::execution::context)),
      loop_(executor.target<asio::io_context::executor_type>() ? static_cast<const asio::io_context*>(context_)
                                                               : nullptr),
      lent_(std::make_unique<Lent>(executor)),
      gate_(std::move(gate)) {}

std::shared_ptr<Gate> Lane::gate_to(const asio::any_io_executor& executor) {
  const Lent services(executor);  // made before the gate, so that they go after it
  return Home::gate_of(executor);
}

std::shared_ptr<Lane> Lane::make(const asio::any_io_executor& executor, const std::shared_ptr<Gate>& gate, Endpoint to,
                                 std::shared_ptr<const LaneRules> rules) {
  const std::shared_ptr<Lane> lane(new Lane(executor, gate, std::move(to), std::move(rules)));
  gate->enter(*lane);
  return lane;
}

Lane::~Lane() {
  gate_->pass([this] {
    gate_->leave(*this);
    lent_.reset();
  });
}

// ## Asking

std::shared_ptr<Gate> Lane::gate_of(const asio::any_io_executor& executor) const {
  return &asio::query(executor, asio::execution::context) == context_ ? nullptr : Home::gate_of(executor);
}

void Lane::ask(const std::shared_ptr<Ask>& question) {
  bool there = true;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= rules_->most_waiting)
      throw StoreError(Trouble::unavailable,
                       to_string(to_) + ": " + std::to_string(queue_.size()) +
                           " calls wait for answers already, which is all that may (AsyncRedisOptions::max_waiting)");
    question->old = up_;
    queue_.push_back(question);
    earliest_ = std::min(earliest_, question->until.at());
    seen_here();
    if (std::exchange(stirred_, true)) return;
    // Later, so that who else is about to ask gets into the same packet.
    there = gate_->pass([this] { post_look(); });
    if (!there) stirred_ = false;
  }
  if (!there) leave();
}

void Lane::withdraw(const std::shared_ptr<Ask>& ask) {
  {
    const std::lock_guard lock(mutex_);
    if (ask->stage == Ask::Stage::over) return;
    if (ask->stage == Ask::Stage::queued) std::erase(queue_, ask);
    ask->stage = Ask::Stage::over;
    ask->end = Ask::End::cancelled;
  }
  ask->wake();
}

std::function<void()> Lane::withdrawal_of(Ask& ask) {
  return [lane = shared_from_this(), self = ask.weak_from_this()] {
    if (const auto held = std::static_pointer_cast<Ask>(self.lock())) lane->withdraw(held);
  };
}

std::size_t Lane::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Lane::close() {
  gate_->pass([this] {
    asio::post(lent_->strand, [self = shared_from_this()] {
      self->closed_ = true;
      self->break_off("the store was closed");
    });
  });
}

Lane::Asks Lane::end_all(const std::function<void(Ask&)>& mark) {
  Asks ended;
  for (auto& ask : queue_) {
    if (ask->stage == Ask::Stage::over) continue;
    mark(*ask);
    ask->stage = Ask::Stage::over;
    ended.push_back(std::move(ask));
  }
  queue_.clear();
  sent_ = 0;
  return ended;
}

// The context has gone: nobody will answer.
void Lane::leave() noexcept {
  Asks ended;
  {
    const std::lock_guard lock(mutex_);
    stirred_ = false;  // whoever comes now is told so
    ended = end_all([&](Ask& ask) {
      const bool sent = ask.stage == Ask::Stage::sent;
      ask.end = Ask::End::lost;
      ask.lost = {{"the executor that its connections belong to is gone", sent, false}, sent, false};
    });
  }
  for (const auto& ask : ended) {
    ask->wake();
    ask->let_go();
  }
}

// ## On the strand

void Lane::stir() {
  auto earliest = Moment::max();
  bool fresh = false, idle = false, none = false;
  {
    const std::lock_guard lock(mutex_);
    stirred_ = false;
    if (closed_) return;
    none = queue_.empty();
    std::swap(earliest, earliest_);
    fresh = state_ == State::down;
    idle = sent_ == 0;
  }
  if (none) {
    if (state_ == State::up && !reading_) rest();
    return;
  }
  if (state_ == State::up && idle && resting_ && !is_quiet()) {
    drop_connection();  // it was closed while it lay idle
    fresh = true;
  }
  if (fresh) {
    {
      const std::lock_guard lock(mutex_);
      for (auto& ask : queue_) ask->old = false;
    }
    begin_connecting();
  }
  resting_ = false;
  if (state_ == State::up) {
    if (idle) heard_ = Deadline::Steady::now();
    write();
    if (state_ == State::up) read();
  }
  arm(earliest);
}

// Nothing has come that nobody asked for, and the server has not closed it.
bool Lane::is_quiet() {
  pollfd one{lent_->socket.native_handle(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 0;
}

bool Lane::pack() {
  packet_.clear();
  packet_sent_ = 0;
  const std::lock_guard lock(mutex_);
  ++round_;
  for (; sent_ < queue_.size() && packet_.size() < packet_size; ++sent_) {
    auto& ask = *queue_[sent_];
    ask.round = round_;
    ask.begins = tls_ ? 0 : packet_.size();
    packet_ += ask.wire;
    ask.sent();
  }
  return !packet_.empty();
}

void Lane::write() {
  while (!writing_) {
    if (packet_sent_ == packet_.size()) {
      if (!pack()) return;
      try {
        if (tls_) {
          tls_->seal(packet_);
          packet_ = tls_->to_send();
        }
      } catch (const StoreError& e) {
        return break_off(e.what());
      }
    }
    boost::system::error_code error;
    const auto rest = asio::buffer(packet_) + packet_sent_;
    packet_sent_ += lent_->socket.send(rest, 0, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      writing_ = true;
      auto go_on = [self = shared_from_this(), era = era_](const boost::system::error_code& failed) {
        if (era != self->era_) return;
        self->writing_ = false;
        if (failed) return self->break_off("the connection broke: " + failed.message());
        self->write();
      };
      lent_->socket.async_wait(asio::socket_base::wait_write, asio::bind_executor(lent_->strand, std::move(go_on)));
    } else if (error) {
      return break_off("the connection broke: " + error.message());
    }
  }
}

void Lane::read() {
  if (std::exchange(reading_, true)) return;
  auto go_on = [self = shared_from_this(), era = era_](const boost::system::error_code& error, std::size_t size) {
    self->arrived(error, size, era);
  };
  lent_->socket.async_read_some(asio::buffer(arrived_), std::move(go_on));
}

void Lane::received(const boost::system::error_code& error, std::size_t size) {
  reading_ = false;
  if (error == asio::error::eof) return break_off("the server closed the connection");
  if (error) return break_off("the connection broke: " + error.message());
  heard_ = Deadline::Steady::now();
  bool closed = false;
  try {
    const std::string_view bytes(arrived_.data(), size);
    if (tls_) {
      tls_->received(bytes);
      reader_.feed(tls_->open(closed));
    } else {
      reader_.feed(bytes);
    }
  } catch (const StoreError& e) {  // of TLS
    return break_off(e.what());
  } catch (const ProtocolError& e) {
    return break_off(no_protocol(e));
  }
  if (const auto wrong = take(); !wrong.empty()) return break_off(wrong);
  if (closed) break_off("the server closed the connection");
}

// Who has been answered goes on. What is wrong with the rest, in words.
std::string Lane::take() {
  Asks answered;
  std::string wrong;
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    try {
      while (sent_ > 0 && read_reply(answered)) {
      }
      if (sent_ == 0 && reader_.next()) wrong = "the server said what nobody had asked for";
    } catch (const ProtocolError& e) {
      wrong = no_protocol(e);
    }
    idle = queue_.empty();
  }
  const bool round_looks = in_round() && !answered.empty();
  wake(std::move(answered));
  if (!wrong.empty()) return wrong;
  // It is looked behind those who have been answered. Mostly they have asked again by
  // then, and all of that leaves at once; else timer and socket can rest.
  if (!idle)
    read();
  else if (!round_looks)
    look_later();
  return wrong;
}

// To the first of those that wait. False: it is not there as a whole. With the mutex.
bool Lane::read_reply(Asks& answered) {
  auto& ask = queue_.front();
  if (!reader_.next(ask->last)) return false;
  if (!ask->replied()) return true;
  if (ask->stage != Ask::Stage::over) {
    ask->stage = Ask::Stage::over;
    ask->end = Ask::End::answered;
    answered.push_back(std::move(ask));
  }
  queue_.pop_front();
  --sent_;
  return true;
}

// Nobody waits, so nothing is waited for.
void Lane::rest() {
  resting_ = true;
  lent_->timer.cancel();
  timer_at_ = Moment::max();
}

void Lane::drop_connection() {
  ++era_;
  state_ = State::down;
  reading_ = writing_ = false;
  packet_.clear();
  packet_sent_ = 0;
  reader_ = ReplyReader();
  tls_.reset();
  boost::system::error_code ignored;
  lent_->socket.close(ignored);
  rest();
  const std::lock_guard lock(mutex_);
  up_ = false;
}

void Lane::break_off(const std::string& why) {
  Asks ended;
  {
    const std::lock_guard lock(mutex_);
    const bool up = state_ == State::up;
    ended = end_all([&](Ask& ask) {
      const bool sent = ask.stage == Ask::Stage::sent && (ask.round < round_ || ask.begins < packet_sent_);
      ask.end = Ask::End::lost;
      ask.lost = {{why, sent, false}, up, ask.old};
    });
  }
  drop_connection();
  for (const auto& ask : ended) ask->wake();
}

}  // namespace sancho::redis
