#include "stores/redis/dealings.hpp"

#include <algorithm>

#include "base/fork_page.hpp"
#include "stores/redis/plan.hpp"

namespace sancho::redis {

Dealings::Dealings(const RedisOptions& o, std::string name)
    : name_(std::move(name)),
      deployment_(deployment_of(o)),
      master_name_(o.master_name),
      connect_timeout_(o.connect_timeout),
      wait_(o.wait),
      wait_timeout_(o.wait_timeout),
      owner_(this_process()),
      topology_(deployment_, endpoints_of(o)) {}

bool Dealings::in_own_process() const { return this_process() == owner_; }

void Dealings::require_own_process() const {
  if (in_own_process()) return;
  throw StoreError(Trouble::refused,
                   name_ + ": it was opened before this process was forked; open it after forking, not before");
}

void Dealings::fail(const Route::Failed& failed) const {
  throw StoreError(failed.kind, name_ + ": " + failed.why, failed.maybe_done);
}

std::optional<Endpoint> Dealings::owner_of(Slot slot) const {
  const std::lock_guard lock(mutex_);
  return topology_.owner(slot);
}

// ## One call

Route::Step Dealings::next_step(Route& route) {
  const std::lock_guard lock(mutex_);
  return route.next(topology_);
}

void Dealings::lost(Route& route, const Route::Send& send, const Lost& what) {
  const std::lock_guard lock(mutex_);
  const auto why = to_string(send.to) + ": " + what.how.why;
  if (what.connected)
    route.broke(why, what.how.sent, what.old, what.how.late, topology_);
  else
    route.not_connected(why, what.how.late, topology_);
}

Conversation<Reply> Dealings::run(const Call& call, Deadline deadline) {
  Route route(call.slot, call.writes, call.again);
  for (;;) {
    auto step = next_step(route);
    if (auto* finished = std::get_if<Route::Finished>(&step)) co_return std::move(finished->reply);
    if (const auto* failed = std::get_if<Route::Failed>(&step)) fail(*failed);
    if (deadline.passed()) fail(route.timed_out());
    if (const auto* pause = std::get_if<Route::Pause>(&step)) {
      co_await Pause{pause->length, deadline};
    } else if (const auto* send = std::get_if<Route::Send>(&step)) {
      try {
        Reply reply;
        if (waits_for_replicas(call)) {
          reply = co_await attempt_and_wait(call, *send, deadline);
        } else {
          auto exchange = attempt(call, *send, deadline);
          auto replies = co_await std::move(exchange);
          reply = std::move(replies.back());
        }
        if (!reply.is_error()) co_return reply;
        const std::lock_guard lock(mutex_);
        route.answered(std::move(reply), topology_);
      } catch (const Lost& what) {
        lost(route, *send, what);
      } catch (const StoreError& e) {
        route.refused(e);
      }
    } else {
      try {
        co_await learn(deadline);
      } catch (const Broken& broken) {
        route.not_learnt(broken.why, broken.late);
      } catch (const StoreError& e) {
        route.refused(e);
      }
    }
  }
}

namespace {

// The answer of a write that another, or an earlier copy of it, came before.
bool is_there_already(const Reply& reply) {
  if (reply.kind != Reply::Kind::list || reply.items.empty()) return false;
  const auto& word = reply.items[0].text;
  return word == "taken" || word == "conflict";
}

// A key in the same slot as the call's own.
std::string beside(const Call& call) {
  for (const auto& word : call.words)
    if (const auto end = word.find('}'); word.find('{') < end && end != word.npos)
      return word.substr(0, end + 1) + ":w";
  return {};
}

}  // namespace

// ASKING before it, if need be; its own reply is the last.
Exchange Dealings::attempt(const Call& call, const Route::Send& send, Deadline deadline) const {
  Exchange exchange{.to = send.to, .what = {}, .until = deadline};
  if (send.asking) exchange.what.add({"ASKING"});
  call.put_into(exchange.what, send.by_text);
  return exchange;
}

// WAIT behind it: one packet, and one to come back.
Conversation<Reply> Dealings::attempt_and_wait(const Call& call, const Route::Send& send, Deadline deadline) {
  auto exchange = attempt(call, send, deadline);
  const auto at = exchange.what.commands - 1;
  exchange.what.add(wait_command(deadline));
  exchange.waits = true;
  auto replies = co_await std::move(exchange);
  if (is_there_already(replies[at])) {
    // It may be this very write that is there, sent before: WAIT speaks of what
    // its own connection has written, so something behind it has to be.
    Exchange mark{.to = send.to, .what = {}, .until = deadline, .waits = true};
    mark.what.add({"SET", beside(call), "", "PX", "1000"});
    mark.what.add(wait_command(deadline));
    const auto marked = co_await std::move(mark);
    require_replicas(call, {}, marked.back());
  }
  require_replicas(call, replies[at], replies.back());
  co_return std::move(replies[at]);
}

Command Dealings::wait_command(Deadline deadline) const {
  const auto most = std::max(std::min(wait_timeout_, deadline.left() - Duration{5}), Duration{1});  // 0 is for ever
  return {"WAIT", std::to_string(wait_), std::to_string(most.count())};
}

// Where nothing was written, nothing needs to be elsewhere.
void Dealings::require_replicas(const Call& call, const Reply& reply, const Reply& replicas) const {
  const bool by_script = reply.kind == Reply::Kind::list && !reply.items.empty();
  const auto word = by_script ? std::string_view(reply.items[0].text) : std::string_view();
  const bool wrote = by_script ? word == "done" || word == "removed" : !reply.is_error();
  if (!wrote || !call.replicated) return;
  if (replicas.is_error()) throw StoreError(Trouble::refused, "option 'wait': " + judge(replicas.text).text, true);
  if (replicas.number >= static_cast<std::int64_t>(wait_)) return;
  throw StoreError(Trouble::unavailable, "written, but fewer replicas have it than option 'wait' asks for", true);
}

// ## One node

Conversation<Reply> Dealings::run_at(const Endpoint& node, const Command& command, Deadline deadline) {
  for (int times = 0;; ++times) {
    try {
      Exchange exchange{.to = node, .what = {}, .until = deadline};
      exchange.what.add(command);
      auto replies = co_await std::move(exchange);
      if (!replies[0].is_error()) co_return std::move(replies[0]);
      const auto verdict = judge(replies[0].text);
      throw StoreError(verdict.kind, verdict.text);
    } catch (const StoreError& e) {
      fail({e.kind(), e.what(), e.maybe_done()});
    } catch (const Lost& lost) {
      if (lost.old && times == 0 && !deadline.passed()) continue;
      {
        const std::lock_guard lock(mutex_);
        topology_.suspect();
      }
      throw StoreError(Trouble::unavailable, name_ + ": " + to_string(node) + ": " + lost.how.why);
    }
  }
}

}  // namespace sancho::redis
