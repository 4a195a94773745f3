// # A pool of connections
//
// For stores that talk to a server: so many connections at most, each used by
// one call at a time, opened when they are needed. Whoever finds none waits for
// one until its deadline and no longer.
//
// A `Connection` has
//
//   - `bool sound()`: may it be used again? Not after an answer was left unread.
//   - `bool fit()`: is it alive, as far as can be seen without waiting? Asked of
//     one that lay idle.
//
// After a fork the child begins with an empty pool. What the parent had open it
// never touches: even closing such a connection would speak on the parent's.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sancho/error.hpp"
#include "sancho/time.hpp"

namespace sancho {

template <class Connection>
class Pool {
 public:
  // Opens one by the deadline, or throws `StoreError`.
  using Open = std::function<std::unique_ptr<Connection>(Deadline)>;

  // `name` is the store's, for messages.
  Pool(std::size_t most, std::string name, Open open)
      : most_(most), name_(std::move(name)), open_(std::move(open)), ground_(new Ground) {}
  ~Pool() {
    auto* ground = ground_.load();
    if (ground->owner == ::getpid()) delete ground;
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

 private:
  // What belongs to one process. A child makes its own and leaves the parent's
  // alone: a thread that does not exist in the child may hold its mutex.
  struct Ground {
    const pid_t owner = ::getpid();
    std::mutex mutex;
    std::condition_variable freed;
    std::vector<std::unique_ptr<Connection>> idle;
    std::size_t open = 0;  // idle or in use
  };

 public:
  // A connection for the length of one conversation.
  class Lease {
   public:
    Lease(Ground& ground, std::unique_ptr<Connection> connection, bool fresh)
        : ground_(&ground), connection_(std::move(connection)), fresh_(fresh) {}
    Lease(Lease&& other) noexcept
        : ground_(other.ground_), connection_(std::move(other.connection_)), fresh_(other.fresh_) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (!connection_) return;
      if (!connection_->sound()) connection_.reset();
      {
        const std::lock_guard lock(ground_->mutex);
        if (connection_)
          ground_->idle.push_back(std::move(connection_));
        else
          --ground_->open;
      }
      ground_->freed.notify_one();
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }
    // Opened for this conversation: what it meets is the server's state of now.
    bool fresh() const { return fresh_; }

   private:
    Ground* ground_;
    std::unique_ptr<Connection> connection_;
    bool fresh_;
  };

  // The one that was used last, if it is fit; else a new one. Throws
  // `StoreError` (*unavailable*) at the deadline.
  Lease take(Deadline deadline) {
    auto& ground = own_ground();
    std::unique_lock lock(ground.mutex);
    for (;;) {
      const auto free = [&] { return !ground.idle.empty() || ground.open < most_; };
      if (deadline.passed() || !ground.freed.wait_until(lock, deadline.at(), free))
        throw StoreError(Trouble::unavailable, name_ + ": the deadline passed before one of its " +
                                                   std::to_string(most_) + " connections was free");
      if (ground.idle.empty()) break;
      auto connection = std::move(ground.idle.back());
      ground.idle.pop_back();
      lock.unlock();
      if (connection->fit()) return {ground, std::move(connection), false};
      connection.reset();
      lock.lock();
      --ground.open;
      ground.freed.notify_one();  // we may be late ourselves
    }
    ++ground.open;
    lock.unlock();
    try {
      return {ground, open_(deadline), true};
    } catch (...) {
      lock.lock();
      --ground.open;
      lock.unlock();
      ground.freed.notify_one();
      throw;
    }
  }

 private:
  Ground& own_ground() {
    auto* ground = ground_.load();
    if (ground->owner == ::getpid()) return *ground;
    auto* mine = new Ground;
    if (ground_.compare_exchange_strong(ground, mine)) return *mine;
    delete mine;  // another thread of this process was first
    return *ground;
  }

  const std::size_t most_;
  const std::string name_;
  const Open open_;
  std::atomic<Ground*> ground_;
};

}  // namespace sancho
