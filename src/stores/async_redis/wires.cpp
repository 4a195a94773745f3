#include "stores/async_redis/wires.hpp"

#include <algorithm>

namespace sancho::redis {

Wires::Wires(boost::asio::any_io_executor executor, std::string store, const RedisOptions& o,
             const AsyncRedisOptions& more)
    : executor_(std::move(executor)),
      context_(&boost::asio::query(executor_, boost::asio::execution::context)),
      gate_(Lane::gate_to(executor_)),
      sentinels_(o.deployment == RedisOptions::Deployment::sentinel),
      connections_(o.connections) {
  const auto tls = o.tls ? std::make_shared<const TlsContext>(*o.tls) : nullptr;
  const LaneRules rules{std::move(store), introduction_of(o), tls, o.connect_timeout, more.max_waiting};
  auto to_sentinels = rules;
  to_sentinels.introduction = introduction_to_sentinels(o);
  rules_ = std::make_shared<const LaneRules>(rules);
  rules_for_sentinels_ = std::make_shared<const LaneRules>(std::move(to_sentinels));
  if (deployment_of(o) == Deployment::server) only_ = &lane_to(endpoints_of(o).front());
}

std::shared_ptr<Lane> Wires::open(const Node& node) const {
  std::shared_ptr<Lane> lane;
  const auto& rules = node.sentinel ? rules_for_sentinels_ : rules_;
  if (!gate_->pass([&] { lane = Lane::make(executor_, gate_, node.at, rules); }))
    throw StoreError(Trouble::unavailable, rules->store + ": the executor that its connections belong to is gone");
  return lane;
}

Wires::Node& Wires::node_at(const Endpoint& at, bool sentinel) {
  const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                 [&](const Node& each) { return each.sentinel == sentinel && each.at == at; });
  if (node != nodes_.end()) return *node;
  Node fresh{at, sentinel, {}};
  fresh.lanes.push_back(open(fresh));
  return nodes_.emplace_back(std::move(fresh));
}

Lane& Wires::lane_to(const Endpoint& node) {
  const std::lock_guard lock(mutex_);
  return *node_at(node, false).lanes.front();
}

Lane& Wires::lane_for(const Exchange& what) {
  const std::lock_guard lock(mutex_);
  auto& node = node_at(what.to, what.aside && sentinels_);
  return what.waits && connections_ > 1 ? least_busy(node) : *node.lanes.front();
}

Lane& Wires::least_busy(Node& node) {
  std::shared_ptr<Lane> least;
  std::size_t fewest = ~std::size_t{0};
  for (std::size_t i = 1; i < node.lanes.size() && fewest > 0; ++i)
    if (const auto waiting = node.lanes[i]->waiting(); waiting < fewest) fewest = waiting, least = node.lanes[i];
  if (fewest > 0 && node.lanes.size() < connections_) least = node.lanes.emplace_back(open(node));
  return *least;
}

void Wires::close() {
  for (const auto& node : nodes_)
    for (const auto& lane : node.lanes) lane->close();
  nodes_.clear();
}

// Even to close a socket there would be to speak on the parent's event loop.
void Wires::forget() { new std::vector<Node>(std::move(nodes_)); }

}  // namespace sancho::redis
