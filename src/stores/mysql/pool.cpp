#include "stores/mysql/pool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "sancho/random.hpp"

namespace sancho::mysql {

namespace {

constexpr std::chrono::seconds suspicion{1};

// Why a host could not be used.
struct Trial {
  Trouble kind;
  std::string why;
};

Trial trial_of(const Failure& f) {
  const auto meaning = meaning_of(f.code);
  if (f.timed_out) return {Trouble::unavailable, "does not answer"};
  const std::string advice = meaning.advice;
  if (f.reach == Failure::Reach::answered || !advice.empty())
    return {meaning.kind, fmt::format("error {}{}{}", f.code, advice.empty() ? "" : ", ", advice)};
  return {Trouble::unavailable, fmt::format("cannot be reached ({})", f.code)};
}

}  // namespace

// What cannot be asked now is asked when it is first connected to.
Pool::Pool(const MysqlOptions& options, std::string name)
    : options_(options), name_(std::move(name)), owner_(::getpid()), suspected_(options_.hosts.size()) {
  const auto deadline = Deadline::after(options_.open_timeout);
  idle_.push_back(connect(deadline));
  open_ = 1;
  promised_ = idle_.back().node;
  for (std::size_t host = 0; host < options_.hosts.size(); ++host) {
    if (host == idle_.back().host) continue;
    try {
      promised_ = weaker(
          promised_,
          connect_to(host, Deadline{std::min(deadline.at(), Deadline::after(options_.connect_timeout).at())}).node);
    } catch (const Failure&) {
      suspect(host);
    } catch (const Trial&) {
      suspect(host);
    }
  }
}

// In a child, the connections are the parent's.
Pool::~Pool() {
  if (::getpid() == owner_) return;
  for (auto& session : idle_) session.connection->abandon();
}

void Pool::require_own_process() const {
  if (::getpid() == owner_) return;
  throw StoreError(Trouble::refused,
                   name_ + ": it was opened before this process was forked; open it after forking, not before");
}

// ## Lending

Pool::Lease Pool::take(Deadline deadline) {
  require_own_process();
  if (deadline.passed()) throw StoreError(Trouble::unavailable, name_ + ": the deadline had passed before it began");
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!idle_.empty()) {
      Session session = std::move(idle_.back());
      idle_.pop_back();
      if (!session.connection->stale()) return {*this, std::move(session)};
      --open_;  // the server has closed it
      freed_.notify_one();
    }
    if (open_ < options_.connections) break;
    if (freed_.wait_until(lock, deadline.at()) == std::cv_status::timeout && idle_.empty() &&
        open_ >= options_.connections)
      throw StoreError(Trouble::unavailable,
                       fmt::format("{}: the deadline passed while all {} connections were busy; raise connections=, "
                                   "or look for what is slow",
                                   name_, options_.connections));
  }
  ++open_;
  lock.unlock();
  try {
    return {*this, connect(deadline)};
  } catch (...) {
    lock.lock();
    --open_;
    freed_.notify_one();
    throw;
  }
}

void Pool::give_back(Session session) {
  const std::lock_guard lock(mutex_);
  if (session.connection->sound())
    idle_.push_back(std::move(session));
  else
    --open_;
  freed_.notify_one();
}

// ## Connecting

std::string Pool::name_of(std::size_t host) const {
  if (!options_.socket.empty()) return options_.socket;
  const auto& h = options_.hosts[host];
  return fmt::format(fmt::runtime(h.host.find(':') == h.host.npos ? "{}:{}" : "[{}]:{}"), h.host, h.port);
}

std::vector<std::size_t> Pool::hosts_to_try() {
  const auto count = options_.hosts.size();
  const bool random = options_.order == MysqlOptions::Order::random && count > 1;
  const auto first = random ? system_random().draw_u64() % count : 0;
  std::vector<std::size_t> hosts;
  for (std::size_t i = 0; i < count; ++i) hosts.push_back((first + i) % count);
  const std::lock_guard lock(mutex_);
  std::ranges::stable_sort(hosts, {}, [this, now = Steady::now()](std::size_t h) { return suspected_[h] > now; });
  return hosts;
}

void Pool::suspect(std::size_t host) {
  std::vector<Session> given_up;
  const std::lock_guard lock(mutex_);
  suspected_[host] = Steady::now() + suspicion;
  if (suspected_.size() == 1) return;  // there is no other
  const auto gone = std::ranges::stable_partition(idle_, [host](const Session& s) { return s.host != host; });
  std::ranges::move(gone, std::back_inserter(given_up));
  idle_.erase(gone.begin(), gone.end());
  open_ -= given_up.size();
  freed_.notify_all();
}

Pool::Session Pool::connect_to(std::size_t host, Deadline deadline) const {
  Session s{std::make_unique<Connection>(options_, options_.hosts[host], deadline), {}, host};
  s.node = greet(*s.connection, deadline);
  if (const auto why = objection(s.node); !why.empty()) throw Trial{Trouble::unavailable, why};
  if (!keeps(promised_, s.node))
    throw Trial{Trouble::unavailable,
                "its settings promise less than those of the others when this program opened the store; "
                "set innodb_flush_log_at_trx_commit and sync_binlog alike, or start the program anew"};
  return s;
}

Pool::Session Pool::connect(Deadline deadline) {
  const auto hosts = hosts_to_try();
  std::string whys;
  bool refused = true;
  for (std::size_t i = 0; i < hosts.size() && !(i > 0 && deadline.passed()); ++i) {
    // The last one has all the time that is left.
    const bool last = i + 1 == hosts.size();
    const auto limit =
        last ? deadline : Deadline{std::min(deadline.at(), Deadline::after(options_.connect_timeout).at())};
    Trial trial{Trouble::unavailable, {}};
    try {
      return connect_to(hosts[i], limit);
    } catch (const Failure& f) {
      trial = trial_of(f);
    } catch (const Trial& t) {
      trial = t;
    }
    suspect(hosts[i]);
    refused = refused && trial.kind == Trouble::refused;
    whys += fmt::format("{}{}: {}", whys.empty() ? "" : "; ", name_of(hosts[i]), trial.why);
  }
  throw StoreError(refused ? Trouble::refused : Trouble::unavailable,
                   fmt::format("{}: no server can be used: {}", name_, whys));
}

}  // namespace sancho::mysql
