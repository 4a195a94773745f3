// Sweeping: pages of SCAN, and for each record a script that looks again and
// removes it in one.
#include <algorithm>
#include <utility>

#include "stores/redis/verbs.hpp"

namespace sancho::redis {

namespace {
constexpr std::size_t page_size = 100;
constexpr std::size_t most_pages = 50;  // that one call looks at
}  // namespace

std::optional<Verbs::Place> Verbs::take_place(const std::optional<Time>& accessed_before) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(places_.begin(), places_.end(), [&](const Place& place) {
    return place.accessed_before.has_value() == accessed_before.has_value();
  });
  if (at == places_.end()) return std::nullopt;
  auto place = std::move(*at);
  places_.erase(at);
  // What was passed so far was asked for an earlier moment.
  if (place.accessed_before < accessed_before) place.joined = true;
  place.accessed_before = accessed_before;
  return place;
}

void Verbs::leave_place(Place place) {
  const std::lock_guard lock(mutex_);
  places_.push_back(std::move(place));
}

// A round goes through all masters; a call that stops on the way leaves word
// where, and the next goes on from there. One that asks for a later moment than
// the round did has not met its beginning, and goes round once more.
Conversation<SweepAnswer> Verbs::sweep(const SweepRequest& request, Deadline deadline) {
  SweepAnswer answer;
  if (traits().sweeps_itself && !request.accessed_before) co_return answer;
  const auto masters = co_await dealings_.masters(deadline);
  auto at = masters.begin();
  std::string cursor = "0";
  bool joined = false;
  if (const auto place = take_place(request.accessed_before)) {
    at = std::find(masters.begin(), masters.end(), place->node);
    if (at == masters.end()) {
      at = masters.begin();
    } else {
      cursor = place->cursor;
      joined = place->joined;
    }
  }
  Names names;  // of the page, those not yet looked at
  std::string page_cursor = cursor;
  try {
    for (std::size_t pages = 0; at != masters.end();) {
      if (names.empty()) {
        if (answer.removed >= request.budget || pages++ >= most_pages || deadline.passed()) break;
        page_cursor = cursor;
        auto page = co_await page_of(*at, cursor, page_size, deadline);
        names = std::move(page.names);
        cursor = std::move(page.cursor);
      }
      std::vector<Call> calls;
      for (; !names.empty() && calls.size() < request.budget - answer.removed; names.pop_back())
        calls.push_back(calls_.evict(names.back(), request.accessed_before));
      const auto replies = co_await dealings_.run_all(calls, deadline);
      for (const auto& reply : replies) calls_.add_evicted(reply, answer);
      if (!names.empty() && answer.removed >= request.budget) {
        cursor = page_cursor;  // the rest of this page comes again
        break;
      }
      if (names.empty() && cursor == "0" && ++at == masters.end() && std::exchange(joined, false)) at = masters.begin();
    }
  } catch (const StoreError&) {
    leave_place({request.accessed_before, *at, page_cursor, joined});  // the page comes again
    if (answer.removed == 0) throw;
    answer.more = true;  // what has gone must be told; the trouble will be back
    co_return answer;
  }
  if (at == masters.end()) co_return answer;
  answer.more = true;
  leave_place({request.accessed_before, *at, cursor, joined});
  co_return answer;
}

}  // namespace sancho::redis
