#include "stores/redis/pool.hpp"

namespace sancho::redis {

Pool::Lease Pool::take(Deadline deadline) {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    if (!free_.wait_until(lock, deadline.at(), [&] { return out_ < most_; }))
      throw Broken{"all connections were busy until the deadline", false, true};
    ++out_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  // Once a node has gone, all its connections have: they are tried one by one.
  while (connection && !connection->is_fresh()) {
    connection.reset();
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) break;
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  if (connection) return {*this, std::move(connection), true};
  try {
    connection = open_(deadline);
  } catch (...) {
    give_back(nullptr);
    throw;
  }
  return {*this, std::move(connection), false};
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --out_;
    if (connection && connection->is_clean()) idle_.push_back(std::move(connection));
  }
  free_.notify_one();
}

}  // namespace sancho::redis
