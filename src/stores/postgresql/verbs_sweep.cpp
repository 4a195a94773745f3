// Sweeping: many small transactions, so that no request waits for long.
#include <algorithm>

#include "stores/postgresql/verbs.hpp"

namespace sancho::postgresql {

namespace {
void count_session(const Result& result, int row, int column, SweepAnswer& answer) {
  ++answer.sessions;
  if (const auto handle = Handle::parse(result.bytes(row, column).value_or("")))
    answer.handles.push_back(*handle);
  else
    answer.handles.emplace_back();
}
}  // namespace

Conversation<SweepAnswer> Verbs::sweep(const SweepRequest& request, Deadline deadline) {
  SweepAnswer answer;
  answer.more = true;
  try {
    (void)co_await sweep_all(request, deadline, answer);
  } catch (const StoreError&) {
    if (answer.removed == 0) throw;
    answer.more = true;  // what has gone must be told; the trouble will be back
  }
  co_return answer;
}

Conversation<Done> Verbs::sweep_all(const SweepRequest& request, Deadline deadline, SweepAnswer& answer) {
  for (std::size_t left = request.budget; answer.more && left > 0 && !deadline.passed();) {
    const auto most = std::min(sweep_batch, left);
    answer.more = co_await sweep_due(most, answer, deadline);
    left -= most;
  }
  if (!answer.more && request.accessed_before)
    answer.more = co_await sweep_idle(*request.accessed_before, request.budget - answer.removed, answer, deadline);
  co_return Done{};
}

Conversation<bool> Verbs::sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) const {
  const Step step{Sql::sweep, Parameters().number(static_cast<std::int64_t>(budget))};
  const auto results = co_await ask(Intent::write, step, "sweeping", deadline);
  const auto& swept = results.back();
  for (int row = 1; row < swept.rows(); ++row) {
    ++answer.removed;
    if (swept.number(row, 0) == static_cast<std::int64_t>(State::live)) count_session(swept, row, 1, answer);
  }
  co_return swept.number(0, 0) == static_cast<std::int64_t>(budget);
}

// There is no index on the access time, because a touch would move it. This is
// a walk over the whole table, a page at a time, which goes on in the next call
// where it stopped.
Conversation<bool> Verbs::sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  OldWalk walk(walk_place_, accessed_before, budget);
  while (const auto most = walk.next(deadline)) {
    const auto size = static_cast<std::int64_t>(*most);
    const Step step{Sql::sweep_idle,
                    Parameters().bytes(walk.after()).number(size).number(milliseconds(accessed_before))};
    const auto results = co_await ask(Intent::write, step, "removing old sessions", deadline);
    const auto& swept = results.back();
    WalkPart part{std::string(swept.bytes(0, 1).value_or("")), swept.number(0, 0) == size};
    for (int row = 1; row < swept.rows(); ++row) {
      ++answer.removed;
      ++part.removed;
      count_session(swept, row, 2, answer);
    }
    walk.seen(std::move(part));
  }
  co_return walk.more();
}

}  // namespace sancho::postgresql
