#include <algorithm>
#include <map>
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

std::vector<SessionKey> put_many(Lab& lab, int n) {
  std::vector<SessionKey> keys;
  for (int i = 0; i < n; ++i) lab.put(keys.emplace_back(Lab::new_key()));
  return keys;
}

// One that ends after 10 units whatever its state.
Record put_short(Lab& lab, State state) {
  auto record = lab.new_record(state);
  record.ends = lab.now() + lab.units(10);
  return lab.put(Lab::new_key(), record);
}
}  // namespace

std::span<const Fact> sweep_facts() {
  static const Fact facts[] = {
      {"SweepRemovesWhatHasExpired", Need::sweeps,
       [](Lab& lab) {
         for (const auto state : all_states)
           for (int i = 0; i < 5; ++i) put_short(lab, state);
         lab.pass(10);
         const auto swept = sweep_all(lab);
         expect(swept.removed == 25, "of 25 expired records sweep removed " + std::to_string(swept.removed));
         expect(sweep_all(lab).removed == 0, "a second sweep removed something");
       }},
      {"SweepKeepsWhatHasNotExpired", Need::nothing,
       [](Lab& lab) {
         std::map<SessionKey, Record> put;
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           put[key] = lab.put(key, state);
         }
         lab.pass(8);
         expect(sweep_all(lab).removed == 0, "sweep removed what has not expired");
         for (const auto& [key, record] : put) lab.expect_stored(key, record, "after a sweep");
       }},
      {"SweepKeepsWhatWasTouched", Need::sweeps,
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
      {"SweepStopsAtItsBudgetAndSaysSo", Need::sweeps,
       [](Lab& lab) {
         put_many(lab, 12);
         lab.pass(10);
         const auto first = lab.store().sweep({.budget = 5, .accessed_before = {}}, Lab::soon());
         expect(first.removed <= 5, "with a budget of 5 of 12 sweep removed " + std::to_string(first.removed));
         expect(first.more, "sweep stopped at its budget and did not say so");
         const auto rest = sweep_all(lab, {.budget = 5, .accessed_before = {}});
         expect(first.removed + rest.removed == 12, "of 12 sweep removed " + std::to_string(first.removed + rest.removed));
       }},
      {"SweepReportsTheSessionsItRemoved", Need::sweeps,
       [](Lab& lab) {
         std::set<Handle> expected;
         for (int i = 0; i < 4; ++i) expected.insert(put_short(lab, State::live).handle);
         for (const auto state : states_not_live) put_short(lab, state);
         lab.pass(10);
         const auto swept = sweep_all(lab, {.budget = 3, .accessed_before = {}});
         expect(swept.removed == 8, "of 8 expired records sweep removed " + std::to_string(swept.removed));
         expect(swept.sessions == 4, "4 live sessions went, sweep says " + std::to_string(swept.sessions));
         expect(swept.handles.size() == 4, "4 live sessions went, sweep names " + std::to_string(swept.handles.size()));
         expect(std::set<Handle>(swept.handles.begin(), swept.handles.end()) == expected, "sweep names other handles than went");
       }},
      {"SweepRemovesSessionsNotAccessedSince", Need::scan,
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
      {"ASweepForOldSessionsThatCannotListThemIsRefused", Need::no_scan,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         lab.put(key);
         lab.pass(3);
         bool refused = false;
         try {
           lab.store().sweep({.budget = 10, .accessed_before = lab.now()}, Lab::soon());
         } catch (const StoreError& e) {
           refused = e.kind() == Trouble::refused && !e.maybe_done();
         }
         expect(refused, "a sweep for old sessions found nothing, for want of a list, and did not say so");
         lab.stored(key);
       }},
      {"ASweepForOldSessionsGetsToTheEndThoughEachAsksForALaterMoment", Need::scan,
       [](Lab& lab) {
         // Among many young sessions, more than one call looks at; which are in
         // the way of who begins anew each time.
         constexpr int old = 12, young = 250;
         std::vector<SessionKey> doomed;
         for (int i = 0; i < old + young; ++i) {
           auto record = lab.new_lasting_record();
           if (i < old) record.accessed -= lab.units(1000);
           const auto key = Lab::new_key();
           lab.put(key, record);
           if (i < old) doomed.push_back(key);
         }
         SweepRequest request{.budget = 6, .accessed_before = lab.now() - lab.units(500)};
         std::size_t removed = 0;
         for (int calls = 0; removed < doomed.size() && calls < 500; ++calls) {
           removed += lab.store().sweep(request, Lab::soon()).removed;
           *request.accessed_before += Duration{1};
         }
         expect(removed == doomed.size(), "of 12 old sessions 500 sweeps, each for a later moment, removed " + std::to_string(removed));
         for (const auto& key : doomed) lab.expect_absent(key, "a session that was not accessed since was kept");
         expect(sweep_all(lab, request).removed == 0, "a young session was swept as an old one");
       }},
      {"ASweepForOldSessionsThatJoinsAnEarlierOneMissesNothing", Need::scan,
       [](Lab& lab) {
         // The first call passes over some that are too young for it, and not for
         // the second.
         for (int i = 0; i < 40; ++i) {
           auto record = lab.new_lasting_record();
           record.accessed -= lab.units(i % 2 ? 1000 : 100);
           lab.put(Lab::new_key(), record);
         }
         const auto first = lab.store().sweep({.budget = 10, .accessed_before = lab.now() - lab.units(500)}, Lab::soon());
         const auto rest = sweep_all(lab, {.budget = 10, .accessed_before = lab.now() - lab.units(50)});
         expect(first.removed + rest.removed == 40, "of 40 old sessions " + std::to_string(first.removed + rest.removed) + " went");
       }},
      {"SweepOfOldSessionsTakesLiveOnesOnly", Need::scan,
       [](Lab& lab) {
         std::map<SessionKey, Record> put;
         for (const auto state : states_not_live) {
           const auto key = Lab::new_key();
           put[key] = lab.put(key, state);
         }
         lab.pass(3);
         expect(sweep_all(lab, {.budget = 10, .accessed_before = lab.now()}).removed == 0, "a record that is no session was swept as an old one");
         for (const auto& [key, record] : put) lab.expect_stored(key, record, "after a sweep of old sessions");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
