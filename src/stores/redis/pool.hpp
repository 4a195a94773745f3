// The connections to one node: a bounded number, opened when they are needed,
// and kept.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "stores/redis/connection.hpp"

namespace sancho::redis {

class Pool {
 public:
  using Open = std::function<std::unique_ptr<Connection>(Deadline)>;
  Pool(std::size_t most, Open open) : most_(most), open_(std::move(open)) {}

  // A connection for the length of one exchange; back in the pool when it goes,
  // if all that was asked of it was answered.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection, bool old)
        : pool_(pool), connection_(std::move(connection)), old_(old) {}
    ~Lease() { pool_.give_back(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection* operator->() const { return connection_.get(); }
    bool old() const { return old_; }  // it was used before

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
    bool old_;
  };

  // Throws what opening one throws, and `Broken` if all were busy until the
  // deadline.
  Lease take(Deadline deadline);

 private:
  void give_back(std::unique_ptr<Connection> connection);

  const std::size_t most_;
  const Open open_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t out_ = 0;  // leased, or being opened
};

}  // namespace sancho::redis
