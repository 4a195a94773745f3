#include "stores/memcached/pool.hpp"

#include <unistd.h>

#include <utility>

namespace sancho::memcached {

struct Pool::Process {
  explicit Process(std::size_t servers) : to(servers) {}

  struct Server {
    std::vector<std::unique_ptr<Connection>> idle;
    std::size_t leased = 0;
  };

  const pid_t id = ::getpid();
  std::mutex mutex;
  std::condition_variable freed;
  std::vector<Server> to;
};

Pool::Pool(std::vector<MemcachedServer> servers, std::size_t most, std::string name)
    : servers_(std::move(servers)), most_(most), name_(std::move(name)), process_(new Process(servers_.size())) {}

Pool::~Pool() {
  auto* mine = process_.load();
  if (mine->id == ::getpid()) delete mine;
}

Pool::Process& Pool::process() {
  auto* found = process_.load();
  if (found->id == ::getpid()) return *found;
  auto fresh = std::make_unique<Process>(servers_.size());
  // If another thread was quicker, `found` is what it made.
  if (process_.compare_exchange_strong(found, fresh.get())) return *fresh.release();
  return *found;
}

// ## Leases

Pool::Lease::Lease(Pool& pool, std::size_t server, Deadline deadline)
    : pool_(pool), server_(server), process_(pool.process()) {
  auto& to = process_.to[server];
  {
    std::unique_lock lock(process_.mutex);
    if (!process_.freed.wait_until(lock, deadline.at(), [&] { return to.leased < pool.most_; }))
      throw StoreError(Trouble::unavailable, pool.name_ + ": the deadline passed while all connections were in use");
    ++to.leased;
    while (!to.idle.empty() && !connection_) {
      connection_ = std::move(to.idle.back());
      to.idle.pop_back();
      if (!connection_->fresh()) connection_.reset();
    }
  }
  used_before_ = connection_ != nullptr;
  if (!connection_) connect(deadline);
}

// If it fails, nobody calls the destructor when this is the constructor's.
void Pool::Lease::connect(Deadline deadline) {
  try {
    connection_ = std::make_unique<Connection>(pool_.servers_[server_], pool_.name_, deadline);
  } catch (...) {
    if (!used_before_) {
      const std::lock_guard lock(process_.mutex);
      --process_.to[server_].leased;
      process_.freed.notify_all();
    }
    throw;
  }
}

void Pool::Lease::renew(Deadline deadline) {
  connection_.reset();
  connect(deadline);
}

// Where one connection failed, the others to that server will have, too.
Pool::Lease::~Lease() {
  std::vector<std::unique_ptr<Connection>> closing;
  const std::lock_guard lock(process_.mutex);
  auto& to = process_.to[server_];
  --to.leased;
  if (connection_ && connection_->sound())
    to.idle.push_back(std::move(connection_));
  else
    closing.swap(to.idle);
  process_.freed.notify_all();  // who waits for another server would sleep on
}

}  // namespace sancho::memcached
