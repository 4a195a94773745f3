// The connections of one store object: so many to each server, and no more.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stores/memcached/connection.hpp"

namespace sancho::memcached {

class Pool {
 public:
  Pool(std::vector<MemcachedServer> servers, std::size_t most, std::string name);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  std::size_t size() const { return servers_.size(); }
  const std::string& name() const { return name_; }

 private:
  // What belongs to one process. A child of a fork starts with nothing and
  // leaves its parent's alone: even closing it might wait for a lock that
  // nobody holds there.
  struct Process;

 public:
  // One connection for the length of one call; back in the pool when it goes.
  class Lease {
   public:
    Lease(Pool& pool, std::size_t server, Deadline deadline);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

    // Was it in use before? Then its server may have gone since, unnoticed.
    bool used_before() const { return used_before_; }
    // Another connection instead, made for this.
    void renew(Deadline deadline);

   private:
    void connect(Deadline deadline);
    Pool& pool_;
    std::size_t server_;
    Process& process_;
    bool used_before_ = false;
    std::unique_ptr<Connection> connection_;
  };

  // A connection to that server. Throws `StoreError`.
  Lease take(std::size_t server, Deadline deadline) { return {*this, server, deadline}; }

 private:
  Process& process();

  std::vector<MemcachedServer> servers_;
  std::size_t most_;
  std::string name_;
  std::atomic<Process*> process_;
};

}  // namespace sancho::memcached
