#include "base/caught.hpp"
#include "session/looking.hpp"
#include "session/runner.hpp"

namespace sancho {

std::string_view to_string(SessionEnd end) {
  switch (end) {
    case SessionEnd::logged_out:
      return "logged_out";
    case SessionEnd::other_user:
      return "other_user";
    case SessionEnd::emptied:
      return "emptied";
    case SessionEnd::gone:
      return "gone";
    case SessionEnd::outage:
      return "outage";
  }
  return "unknown";
}

// ## The task

ManagerBase::Looking::Looking(SessionWatchBase& watch)
    : manager_(watch.manager_),
      ticket_(watch.ticket_),
      env_(manager_.env(manager_.parts_->rules)),
      used_(watch.used_),
      noted_(watch.noted_),
      look_(ticket_.key_, ticket_.subject_,
            used_ != noted_ ? std::optional(manager_.policy().access_time_resolution) : std::nullopt) {}

const protocol::Op* ManagerBase::Looking::resume(protocol::Answer& answer) {
  const auto* op = look_.resume(env_, answer);
  if (!op) noted_ = used_;
  return op;
}

void ManagerBase::Looking::failed(const StoreError& e) {
  if (look_.found) return manager_.report(EventKind::touch_failed, ticket_.handle(), ticket_.subject(), e.what());
  if (e.kind() != Trouble::corrupt) throw;
  manager_.report(EventKind::record_corrupt, ticket_.handle(), ticket_.subject(), e.what());
  look_.end = SessionEnd::gone;
}

// ## The watch

SessionWatchBase::SessionWatchBase(ManagerBase& manager, SessionTicket ticket, WatchOptions options)
    : manager_(manager), ticket_(std::move(ticket)), options_(options), answered_(options.steady.now()) {
  if (options_.interval <= Duration::zero()) throw ConfigError("a watch needs an interval between its looks");
}

SessionWatchBase::~SessionWatchBase() = default;

std::optional<SessionEnd> SessionWatchBase::ended() const {
  const auto end = end_.load();
  return end == lasts ? std::nullopt : std::optional(static_cast<SessionEnd>(end));
}

// Without randomness all wait alike.
Duration SessionWatchBase::pause() noexcept try {
  const auto longest = options_.interval.count();
  const auto shortest = std::exchange(first_, false) ? 0 : longest - longest / 3;
  const auto part = manager_.draw() % static_cast<std::uint64_t>(longest - shortest + 1);
  return Duration{shortest + static_cast<Duration::rep>(part)};
} catch (...) {
  return options_.interval;
}

void SessionWatchBase::settle(const Looking& looking) {
  const auto& look = looking.result();
  answered_ = options_.steady.now();
  silent_ = false;
  noted_ = looking.noted();
  ticket_.key_ = look.key;
  if (look.end) end_ = static_cast<std::uint8_t>(*look.end);
}

// One outage is one event, and not one for each look.
void SessionWatchBase::failed(const char* what) {
  if (!std::exchange(silent_, true))
    manager_.report(EventKind::store_unavailable, ticket_.handle(), ticket_.subject(), what);
  give_up_in_time();
}

void SessionWatchBase::give_up_in_time() {
  if (options_.outage_limit && options_.steady.now() - answered_ >= *options_.outage_limit)
    end_ = static_cast<std::uint8_t>(SessionEnd::outage);
}

SessionWatch::SessionWatch(SessionManagerBase& manager, SessionTicket ticket, WatchOptions options)
    : SessionWatchBase(manager, std::move(ticket), options), store_(manager.store()) {}

std::optional<SessionEnd> SessionWatch::look() {
  if (ended()) return ended();
  try {
    Looking looking(*this);
    carry_out(looking, store_);
    settle(looking);
  } catch (...) {  // no memory, say: that tells as little of the session
    failed(caught());
  }
  return ended();
}

}  // namespace sancho
