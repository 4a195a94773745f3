#include <algorithm>
#include <set>

#include "lab.hpp"

namespace sancho::conformance {

namespace {
// Sweeps until nothing is left; fails if that never comes.
SweepAnswer sweep_all(Lab& lab, const SweepRequest& request = {}) {
  SweepAnswer sum;
  for (int calls = 0; calls < 10'000; ++calls) {
    const auto answer = lab.store().sweep(request, Lab::soon());
    expect(answer.removed <= request.budget, "sweep removed more than its budget");
    sum.removed += answer.removed;
    sum.sessions += answer.sessions;
    sum.handles.insert(sum.handles.end(), answer.handles.begin(), answer.handles.end());
    if (!answer.more) return sum;
  }
  throw Failure("sweep says for ever that more waits");
}

std::vector<SessionKey> put_many(Lab& lab, int n, State state = State::live) {
  std::vector<SessionKey> keys;
  for (int i = 0; i < n; ++i) lab.put(keys.emplace_back(Lab::new_key()), state);
  return keys;
}
}  // namespace

std::span<const Fact> sweep_facts() {
  static const Fact facts[] = {
      {"SweepRemovesWhatHasExpired", Need::nothing,
       [](Lab& lab) {
         for (const auto state : all_states) put_many(lab, 5, state);
         lab.pass(100);
         const auto swept = sweep_all(lab);
         expect(swept.removed == 25, "of 25 expired records sweep removed " + std::to_string(swept.removed));
         expect(sweep_all(lab).removed == 0, "a second sweep removed something");
       }},
      {"SweepKeepsWhatHasNotExpired", Need::nothing,
       [](Lab& lab) {
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           const auto record = lab.put(key, state);
           lab.pass(9);
           expect(sweep_all(lab).removed == 0, "sweep removed what has not expired");
           lab.expect_stored(key, record, "after a sweep");
           lab.store().erase(key, std::nullopt, Lab::soon());
         }
       }},
      {"SweepKeepsWhatWasTouched", Need::nothing,
       [](Lab& lab) {
         const auto touched = Lab::new_key(), idle = Lab::new_key();
         const auto record = lab.put(touched);
         lab.put(idle);
         lab.pass(9);
         expect_answer<Done>(lab.store().touch(touched, record.version.incarnation, lab.now(), Lab::soon()), "a touch was not done");
         lab.pass(5);
         expect(sweep_all(lab).removed == 1, "of a touched and an idle session sweep did not remove one");
         lab.stored(touched);
       }},
      {"SweepStopsAtItsBudgetAndSaysSo", Need::nothing,
       [](Lab& lab) {
         put_many(lab, 12);
         lab.pass(10);
         const auto first = lab.store().sweep({.budget = 5, .accessed_before = {}}, Lab::soon());
         expect(first.removed == 5, "with a budget of 5 of 12 sweep removed " + std::to_string(first.removed));
         expect(first.more, "sweep stopped at its budget and did not say so");
         const auto rest = sweep_all(lab, {.budget = 5, .accessed_before = {}});
         expect(rest.removed == 7, "the rest of 12 was not removed, but " + std::to_string(rest.removed));
       }},
      {"SweepReportsTheSessionsItRemoved", Need::nothing,
       [](Lab& lab) {
         std::set<Handle> expected;
         for (int i = 0; i < 4; ++i) expected.insert(lab.put(Lab::new_key()).handle);
         for (const auto state : states_not_live) lab.put(Lab::new_key(), state);
         lab.pass(100);
         const auto swept = sweep_all(lab, {.budget = 3, .accessed_before = {}});
         expect(swept.removed == 8, "of 8 expired records sweep removed " + std::to_string(swept.removed));
         expect(swept.sessions == 4, "4 live sessions went, sweep says " + std::to_string(swept.sessions));
         expect(swept.handles.size() == 4, "4 live sessions went, sweep names " + std::to_string(swept.handles.size()));
         expect(std::set<Handle>(swept.handles.begin(), swept.handles.end()) == expected, "sweep names other handles than went");
       }},
      {"SweepRemovesSessionsNotAccessedSince", Need::nothing,
       [](Lab& lab) {
         const auto old = put_many(lab, 5);
         lab.pass(3);
         const auto moment = lab.now();
         const auto young = put_many(lab, 5);
         lab.pass(1);
         const auto swept = sweep_all(lab, {.budget = 2, .accessed_before = moment});
         expect(swept.removed == 5 && swept.sessions == 5 && swept.handles.size() == 5, "of 5 old sessions did not go 5");
         for (const auto& key : old) lab.expect_absent(key, "a session that was not accessed since was kept");
         for (const auto& key : young) lab.stored(key);
       }},
      {"SweepOfOldSessionsTakesLiveOnesOnly", Need::nothing,
       [](Lab& lab) {
         for (const auto state : states_not_live) {
           const auto key = Lab::new_key();
           const auto record = lab.put(key, state);
           lab.pass(3);
           expect(sweep_all(lab, {.budget = 10, .accessed_before = lab.now()}).removed == 0, "a record that is no session was swept as an old one");
           lab.expect_stored(key, record, "after a sweep of old sessions");
           lab.store().erase(key, std::nullopt, Lab::soon());
         }
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
