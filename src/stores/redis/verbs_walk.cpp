// Going through all records: SCAN on each master, a page at a time.
#include <algorithm>
#include <unordered_set>

#include "stores/redis/value.hpp"
#include "stores/redis/verbs.hpp"

namespace sancho::redis {

namespace {
constexpr std::size_t records_a_page = 200;
}

Conversation<Verbs::Page> Verbs::page_of(const Endpoint& node, const std::string& cursor, std::size_t size,
                                         Deadline deadline) {
  const Command command{"SCAN", cursor,  "MATCH", calls_.keys().record_pattern(), "COUNT", std::to_string(size),
                        "TYPE", "string"};
  const auto reply = co_await dealings_.run_at(node, command, deadline);
  if (reply.items.size() != 2) not_understood();
  Page page{{}, reply.items[0].text};
  std::unordered_set<std::string> seen;  // SCAN may repeat itself
  for (const auto& name : reply.items[1].items)
    if (calls_.keys().session(name.text) && seen.insert(name.text).second) page.names.push_back(name.text);
  co_return page;
}

Conversation<bool> Verbs::through_node(const Endpoint& node, const std::vector<bool>* slots, const EachPage& page,
                                       Deadline deadline) {
  std::string cursor = "0";
  do {
    auto found = co_await page_of(node, cursor, records_a_page, deadline);
    cursor = std::move(found.cursor);
    if (slots) std::erase_if(found.names, [&](const std::string& name) { return !(*slots)[slot_of(name)]; });
    if (found.names.empty()) continue;
    const bool on = co_await page(found.names);
    if (!on) co_return false;
  } while (cursor != "0");
  co_return true;
}

Conversation<std::vector<bool>> Verbs::slots_at_rest_of(const Endpoint& node, Deadline deadline) {
  const Command command{"CLUSTER", "NODES"};
  co_return slots_at_rest(co_await dealings_.run_at(node, command, deadline));
}

// In a cluster, a slot may move from a node that was not visited yet to one that
// was. So a slot counts as seen only if the node had it, and it was at rest,
// before and after; until all are, the rest is gone through again.
Conversation<Done> Verbs::through_all(const EachPage& page, Deadline deadline) {
  if (dealings_.deployment() != Deployment::cluster) {
    const auto masters = co_await dealings_.masters(deadline);
    co_await through_node(masters.front(), nullptr, page, deadline);
    co_return Done{};
  }
  std::vector<bool> missing(slot_count, true);
  for (;;) {
    const auto masters = co_await dealings_.masters(deadline);
    for (const auto& node : masters) {
      const auto before = co_await slots_at_rest_of(node, deadline);
      const bool on = co_await through_node(node, &missing, page, deadline);
      if (!on) co_return Done{};
      const auto after = co_await slots_at_rest_of(node, deadline);
      for (std::size_t slot = 0; slot < slot_count; ++slot)
        if (before[slot] && after[slot]) missing[slot] = false;
    }
    if (std::find(missing.begin(), missing.end(), true) == missing.end()) co_return Done{};
    if (deadline.passed())
      throw StoreError(Trouble::unavailable, name() + ": slots were on the move, or nobody's, until the deadline");
    co_await Pause{Duration{20}, deadline};
  }
}

// Nothing for one that is absent, and for one that cannot be read: a walk passes
// it over.
std::optional<Record> Verbs::readable(const Reply& reply) const {
  try {
    return calls_.loaded(reply);
  } catch (const StoreError& e) {
    if (e.maybe_done()) throw;  // no record at all
    return std::nullopt;
  }
}

Conversation<bool> Verbs::show(const Names& names, Deadline deadline) {
  std::vector<Call> calls;
  for (const auto& name : names) calls.push_back(calls_.load(name));
  const auto replies = co_await dealings_.run_all(calls, deadline);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto record = readable(replies[i]);
    if (!record) continue;
    const KeyedRecord found{*calls_.keys().session(names[i]), *std::move(record)};
    const bool on = co_await Show{&found};
    if (!on) co_return false;
  }
  co_return true;
}

Conversation<Done> Verbs::walk(Deadline deadline) {
  const EachPage page = [this, deadline](const Names& names) { return show(names, deadline); };
  co_await through_all(page, deadline);
  co_return Done{};
}

Conversation<bool> Verbs::count_live(const Names& names, std::size_t& live, Deadline deadline) {
  std::vector<Call> calls;
  for (const auto& name : names) calls.push_back(calls_.head(name));
  const auto now = co_await server_time(deadline);
  const auto replies = co_await dealings_.run_all(calls, deadline);
  for (const auto& reply : replies) {
    const auto head = head_of(reply.text);
    live += head && head->state == State::live && head->expires > now;
  }
  co_return true;
}

Conversation<std::size_t> Verbs::count(Deadline deadline) {
  std::size_t live = 0;
  const EachPage page = [this, &live, deadline](const Names& names) { return count_live(names, live, deadline); };
  co_await through_all(page, deadline);
  co_return live;
}

// Where Redis removes what has expired, what is there has not.
Conversation<Time> Verbs::server_time(Deadline deadline) {
  if (options_.report_expiry == Duration::zero()) co_return Time::min();
  const auto call = calls_.time();
  const auto reply = co_await dealings_.run(call, deadline);
  if (reply.items.size() != 2) not_understood();
  co_return Time{Duration{std::stoll(reply.items[0].text) * 1000 + std::stoll(reply.items[1].text) / 1000}};
}

}  // namespace sancho::redis
