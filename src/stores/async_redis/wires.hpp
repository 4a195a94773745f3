// # All connections of a store
//
// Each node has one that is shared by everybody. Calls that wait for replicas
// (WAIT) hold up what comes behind them, so these go over others: whichever has
// least to do, up to `RedisOptions::connections` to a node.
#pragma once

#include <vector>

#include "sancho/async/redis.hpp"
#include "stores/async_redis/lane.hpp"

namespace sancho::redis {

class Wires {
 public:
  Wires(boost::asio::any_io_executor executor, std::string store, const RedisOptions& options,
        const AsyncRedisOptions& more);

  // The connection that a question goes over, which stays as long as this. Throws
  // `StoreError` where the context is gone.
  Lane& lane_for(const Exchange& what);
  // To a node of the data's; where there is only ever one, `only` is that one's, and
  // null elsewhere.
  Lane& lane_to(const Endpoint& node);
  Lane* only() const { return only_; }

  // Whether the connections' timers run in this context.
  bool belongs_to(const boost::asio::execution_context& context) const { return &context == context_; }

  // When the store goes. In a child of its process they are left alone.
  void close();
  void forget();

 private:
  struct Node {
    Endpoint at;
    bool sentinel = false;
    std::vector<std::shared_ptr<Lane>> lanes;
  };
  Node& node_at(const Endpoint& at, bool sentinel);
  Lane& least_busy(Node& node);
  // Throws `StoreError` where the context is gone.
  std::shared_ptr<Lane> open(const Node& node) const;

  const boost::asio::any_io_executor executor_;
  const boost::asio::execution_context* const context_;
  const std::shared_ptr<Gate> gate_;
  const bool sentinels_;
  const std::size_t connections_;
  std::shared_ptr<const LaneRules> rules_, rules_for_sentinels_;
  Lane* only_ = nullptr;

  std::mutex mutex_;  // over what follows
  std::vector<Node> nodes_;
};

}  // namespace sancho::redis
