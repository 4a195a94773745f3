// Many calls at once: a batch to each node, and each for itself what that did not
// settle.
#include <algorithm>

#include "stores/redis/dealings.hpp"

namespace sancho::redis {

Conversation<std::vector<Reply>> Dealings::run_all(const std::vector<Call>& calls, Deadline deadline) {
  constexpr std::size_t batch = 256;
  std::vector<std::optional<Endpoint>> owners(calls.size());
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < calls.size(); ++i) owners[i] = topology_.owner(calls[i].slot);
  }
  std::vector<Reply> replies(calls.size());
  std::vector<bool> done(calls.size(), false);
  for (std::size_t first = 0; first < calls.size(); ++first) {
    if (done[first]) continue;
    std::vector<std::size_t> numbers;
    std::vector<const Call*> some;
    for (std::size_t i = first; i < calls.size() && some.size() < batch; ++i) {
      if (done[i] || owners[i] != owners[first]) continue;
      numbers.push_back(i), some.push_back(&calls[i]);
    }
    std::vector<Reply> answers;
    if (owners[first] && some.size() > 1) answers = co_await run_batch(*owners[first], some, deadline);
    for (std::size_t k = 0; k < some.size(); ++k) {
      // What was redirected, or not sent, goes its own way.
      const bool answered = k < answers.size() && !answers[k].is_error();
      if (answered)
        replies[numbers[k]] = std::move(answers[k]);
      else
        replies[numbers[k]] = co_await run(*some[k], deadline);
      done[numbers[k]] = true;
    }
  }
  co_return replies;
}

// Replies, errors included; none if nothing was sent, or may be sent again.
Conversation<std::vector<Reply>> Dealings::run_batch(const Endpoint& node, const std::vector<const Call*>& calls,
                                                     Deadline deadline) {
  const bool waits = waits_for_replicas(*calls.front());
  try {
    Exchange exchange{.to = node, .what = {}, .until = deadline, .waits = waits};
    for (const auto* call : calls) call->put_into(exchange.what, false);
    if (waits) exchange.what.add(wait_command(deadline));
    auto replies = co_await std::move(exchange);
    if (waits) {
      const auto replicas = std::move(replies.back());
      replies.pop_back();
      for (std::size_t i = 0; i < calls.size(); ++i) require_replicas(*calls[i], replies[i], replicas);
    }
    co_return replies;
  } catch (const StoreError& e) {
    fail({e.kind(), e.what(), e.maybe_done()});
  } catch (const Lost& lost) {
    const bool harmless =
        std::all_of(calls.begin(), calls.end(), [](const Call* call) { return !call->writes || call->again; });
    if (!lost.connected || !lost.how.sent || (harmless && !lost.how.late)) co_return std::vector<Reply>();
    const bool writes = std::any_of(calls.begin(), calls.end(), [](const Call* call) { return call->writes; });
    fail({Trouble::unavailable, to_string(node) + ": " + lost.how.why, writes});
  }
}

}  // namespace sancho::redis
