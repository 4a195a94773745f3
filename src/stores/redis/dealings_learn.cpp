// Who is in charge: what Sentinels and nodes of a cluster say.
#include <algorithm>
#include <optional>

#include "stores/redis/dealings.hpp"

namespace sancho::redis {

Conversation<std::vector<Endpoint>> Dealings::masters(Deadline deadline) {
  for (;;) {
    std::string why = "nobody is known to be in charge";
    try {
      if (deployment_ != Deployment::server) co_await learn(deadline);
    } catch (const Broken& broken) {
      why = broken.why;
    } catch (const StoreError& e) {
      fail({e.kind(), e.what(), false});
    }
    {
      const std::lock_guard lock(mutex_);
      auto found = topology_.masters();
      if (!found.empty()) co_return found;
    }
    if (deadline.passed()) throw StoreError(Trouble::unavailable, name_ + ": " + why);
    co_await Pause{Duration{20}, deadline};
  }
}

// Each is given no more time than leaves some for the next.
Exchange Dealings::question_to(const Endpoint& informant, Deadline deadline) const {
  const auto share = std::max(std::min(connect_timeout_, deadline.left() / 2), Duration{10});
  Exchange question{.to = informant,
                    .what = {},
                    .until = Deadline(std::min(deadline.at(), Deadline::after(share).at())),
                    .aside = true};
  if (deployment_ == Deployment::sentinel)
    question.what.add({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name_});
  else
    question.what.add({"CLUSTER", "SLOTS"});
  return question;
}

// False if it does not say; then `why`. Throws `StoreError` for what another
// would not mend.
bool Dealings::taken_for_answer(const Reply& reply, const Endpoint& node, std::string& why) {
  if (reply.is_error()) {
    const auto verdict = judge(reply.text);
    why = to_string(node) + ": " + verdict.text;
    if (verdict.kind == Trouble::refused) throw StoreError(verdict.kind, verdict.text);
    if (verdict.text.find("cluster support disabled") != std::string::npos)
      throw StoreError(Trouble::refused, "it belongs to no cluster: write redis://");
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (deployment_ != Deployment::sentinel) {
    if (topology_.learn_slots(reply, node)) return true;
    why = to_string(node) + ": no node has a slot";
    return false;
  }
  if (const auto master = master_in(reply)) {
    topology_.master_is(*master);
    return true;
  }
  why = to_string(node) + ": does not know the master '" + master_name_ + "'";
  return false;
}

// Each is asked in turn, beginning with another one than last time. Throws
// `Broken` if nobody says.
Conversation<Done> Dealings::learn(Deadline deadline) {
  std::vector<Endpoint> informants;
  std::size_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    informants = topology_.informants();
    first = next_informant_++;
  }
  std::string why = "there is nobody to ask";
  bool late = deadline.passed();
  std::optional<StoreError> refused;  // which another of them may not do
  for (std::size_t i = 0; i < informants.size() && !deadline.passed(); ++i) {
    const auto& node = informants[(first + i) % informants.size()];
    try {
      const auto replies = co_await question_to(node, deadline);
      if (taken_for_answer(replies[0], node, why)) co_return Done{};
    } catch (const Lost& lost) {
      late = deadline.passed();
      if (!late || i == 0) why = to_string(node) + ": " + lost.how.why;
    } catch (const StoreError& e) {
      why = to_string(node) + ": " + e.what();
      if (e.kind() != Trouble::unavailable) refused = StoreError(e.kind(), why);
    }
  }
  if (refused) throw *refused;
  throw Broken{why, false, late};
}

}  // namespace sancho::redis
