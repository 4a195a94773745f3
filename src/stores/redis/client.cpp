#include "stores/redis/client.hpp"

#include <algorithm>
#include <thread>

namespace sancho::redis {

Client::Client(const RedisOptions& o, std::string name)
    : dealings_(o, std::move(name)),
      introduction_(introduction_of(o)),
      to_sentinels_(introduction_to_sentinels(o)),
      tls_(o.tls ? std::make_unique<TlsContext>(*o.tls) : nullptr),
      connections_(o.connections),
      connect_timeout_(o.connect_timeout) {}

Pool& Client::pool_of(const Endpoint& node) {
  const std::lock_guard lock(mutex_);
  auto& pool = pools_[to_string(node)];
  if (!pool) {
    pool = std::make_unique<Pool>(connections_, [this, node](Deadline deadline) {
      const Deadline soon(std::min(deadline.at(), Deadline::after(connect_timeout_).at()));
      try {
        return std::make_unique<Connection>(node, introduction_, tls_.get(), soon);
      } catch (const StoreError& e) {
        if (e.kind() == Trouble::unavailable) throw Broken{e.what()};  // as good as not there
        throw StoreError(e.kind(), to_string(node) + ": " + e.what());
      }
    });
  }
  return *pool;
}

void Client::carry_out(Floor& floor, const Each& each) {
  dealings_.require_own_process();
  while (const Wish* wish = floor.next()) {
    if (const auto* show = std::get_if<Show>(wish)) {
      floor.answer(each(*show->found));  // what it throws ends the conversation
    } else if (const auto* pause = std::get_if<Pause>(wish)) {
      std::this_thread::sleep_for(std::min(pause->length, pause->until.left()));
    } else {
      try {
        const auto& question = std::get<Exchange>(*wish);
        floor.answer(question.aside ? ask_aside(question) : exchange(question));
      } catch (...) {
        floor.fail(std::current_exception());
      }
    }
  }
}

std::vector<Reply> Client::exchange(const Exchange& wish) {
  Lost lost;
  try {
    const auto lease = pool_of(wish.to).take(wish.until);
    lost.connected = true;
    lost.old = lease.old();
    return lease->exchange(wish.what, wish.until);
  } catch (const Broken& broken) {
    lost.how = broken;
    throw lost;
  }
}

std::vector<Reply> Client::ask_aside(const Exchange& wish) {
  const bool sentinel = dealings_.deployment() == Deployment::sentinel;
  try {
    Connection connection(wish.to, sentinel ? to_sentinels_ : introduction_, tls_.get(), wish.until);
    return connection.exchange(wish.what, wish.until);
  } catch (const Broken& broken) {
    throw Lost{.how = broken};
  }
}

}  // namespace sancho::redis
