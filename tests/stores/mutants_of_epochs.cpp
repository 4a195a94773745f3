// Mutants that admit what they must not, or refuse what they may not.
#include <set>

#include "spoilt.hpp"

namespace sancho {

namespace {
using std::nullopt;

EpochsSeen epochs_now(Spoilt& t, const Record& r) { return t.in.epochs()->epochs(r.subject, soon()); }

Spoil admits(std::function<CreateAnswer(Spoilt&, const SessionKey&, const Record&, const Admission&)> how) {
  return [=](Spoilt& s) { s.on_admit = how; };
}

// A cap that is counted otherwise, and no epochs looked at.
Spoil counts(std::function<std::size_t(Spoilt&, const Record&)> others) {
  return admits([=](Spoilt& t, auto& key, auto& r, auto& admission) -> CreateAnswer {
    if (admission.cap > 0 && others(t, r) >= admission.cap) return Refused{Refused::Why::at_cap};
    return t.in.create(key, r, soon());
  });
}

// As the contract has it.
std::size_t other_sessions(Spoilt& t, const Record& r) {
  std::set<Handle> handles;
  for (const auto& found : t.in.subjects()->find_by_subject(r.subject, soon()))
    if (found.record.state != State::moved && found.record.handle != r.handle) handles.insert(found.record.handle);
  return handles.size();
}

std::size_t live_records(Spoilt& t, const Record& r) {
  std::size_t n = 0;
  for (const auto& found : t.in.subjects()->find_by_subject(r.subject, soon())) n += found.record.state == State::live;
  return n;
}

std::size_t records(Spoilt& t, const Record& r) {
  std::size_t n = 0;
  for (const auto& found : t.in.subjects()->find_by_subject(r.subject, soon())) n += found.record.state != State::moved;
  return n;
}

std::size_t all_that_ever_were(Spoilt& t, const Record& r) {
  std::size_t n = 0;
  for (const auto& [key, record] : t.all_past()) n += record.subject == r.subject;
  return n;
}

void others_come_between() { std::this_thread::sleep_for(std::chrono::microseconds{200}); }

// Counted by one, created by another: each handle lets its own in one by one.
const Spoil counts_per_handle = [](Spoilt& s) {
  auto turn = std::make_shared<std::mutex>();
  s.on_admit = [=](Spoilt& t, auto& key, auto& r, auto& admission) -> CreateAnswer {
    const std::lock_guard lock(*turn);
    if (other_sessions(t, r) >= admission.cap) return Refused{Refused::Why::at_cap};
    others_come_between();
    return t.in.create(key, r, soon());
  };
};

const Spoil counts_loosely = counts([](Spoilt& t, const Record& r) {
  const auto n = other_sessions(t, r);
  others_come_between();
  return n;
});

const Spoil looks_at_epochs_first = admits([](Spoilt& t, auto& key, auto& r, auto& admission) -> CreateAnswer {
  if (epochs_now(t, r) != admission.seen) return Refused{Refused::Why::revoked};
  others_come_between();
  return t.in.create(key, r, soon());
});

const Spoil forgets_epochs_when_swept = [](Spoilt& s) {
  auto swept = std::make_shared<std::atomic<bool>>();
  s.on_sweep = [=](Spoilt& t, auto& request) { return *swept = true, t.in.sweep(request, soon()); };
  s.on_epochs = [=](Spoilt& t, std::string_view subject) {
    return *swept ? EpochsSeen{} : t.in.epochs()->epochs(subject, soon());
  };
};

// An index by the access time that a touch does not reach.
const Spoil loses_what_is_touched = [](Spoilt& s) {
  auto touched = std::make_shared<std::set<SessionKey>>();
  s.on_touch = [=](Spoilt& t, auto& key, auto incarnation, auto time) {
    touched->insert(key);
    return t.in.touch(key, incarnation, time, soon());
  };
  s.on_find = [=](Spoilt& t, std::string_view subject) {
    auto found = t.in.subjects()->find_by_subject(subject, soon());
    std::erase_if(found, [&](const auto& each) { return touched->contains(each.key); });
    return found;
  };
};
}  // namespace

std::vector<Mutant> mutants_of_epochs() {
  const auto as_if = [](auto change) {
    return factory(admits([=](Spoilt& t, auto& key, auto& r, Admission admission) -> CreateAnswer {
      change(t, r, admission);
      return t.in.create(key, r, soon(), &admission);
    }));
  };
  const Spoil keeps_no_epoch = [](Spoilt& s) { s.on_set_epoch = [](auto&, auto, auto, auto) {}; };
  const Spoil lets_nobody_in = admits([](auto&, auto&, auto&, auto&) { return Refused{Refused::Why::revoked}; });
  const Spoil caps_everybody = [](Spoilt& s) {
    s.on_create = [](Spoilt& t, auto& key, auto& r) {
      const Admission one{.seen = epochs_now(t, r), .cap = 1};
      return t.in.create(key, r, soon(), r.subject.empty() ? nullptr : &one);
    };
  };
  const Spoil revokes_what_is_there = admits([](Spoilt& t, auto& key, auto& r, auto& admission) -> CreateAnswer {
    if (epochs_now(t, r) != admission.seen) return Refused{Refused::Why::revoked};
    return t.in.create(key, r, soon(), &admission);
  });
  const Spoil admits_nobody = admits([](Spoilt& t, auto& key, auto& r, auto& admission) {
    return t.in.create(key, r, soon(), r.subject.empty() ? nullptr : &admission);
  });
  return {
      {"an epoch is not kept", "AnEpochIsZeroUntilItIsChanged", factory(keeps_no_epoch)},
      {"a sweep takes epochs too", "AnEpochIsKeptUntilItsTime", factory(forgets_epochs_when_swept)},
      {"nobody is admitted", "AnAdmissionUnderTheEpochsSeenIsDone", factory(lets_nobody_in)},
      {"no epoch is compared", "AnAdmissionUnderAnotherEpochIsRevoked",
       as_if([](Spoilt& t, const Record& r, Admission& a) { a.seen = epochs_now(t, r); })},
      {"everyone's epoch is not compared", "AnAdmissionUnderAnotherEpochIsRevoked",
       as_if([](Spoilt& t, const Record& r, Admission& a) { a.seen.everyone = epochs_now(t, r).everyone; })},
      {"a missing epoch is as good as any", "AnAdmissionUnderAnotherEpochIsRevoked",
       as_if([](Spoilt& t, const Record& r, Admission& a) { if (a.seen.subject == 0) a.seen.subject = epochs_now(t, r).subject; })},
      {"every create is under a cap", "ACreateWithoutAdmissionKnowsNoEpochAndNoCap", factory(caps_everybody)},
      {"a create that was done is revoked", "TakenComesBeforeRevokedAndRevokedBeforeTheCap", factory(revokes_what_is_there)},
      {"live sessions alone are counted", "TheCapCountsPendingAndLiveSessionsOfTheSubject", factory(counts(live_records))},
      {"one more than the cap is let in", "TheCapCountsPendingAndLiveSessionsOfTheSubject",
       as_if([](Spoilt&, const Record&, Admission& a) { a.cap += a.cap > 0; })},
      {"records are counted, not sessions", "TheCapCountsASessionOnceWhateverItsRecords", factory(counts(records))},
      {"what is gone is counted", "WhatHasEndedOrExpiredMakesRoom", factory(counts(all_that_ever_were))},
      {"what was touched is no more in the index", "ASessionThatIsTouchedKeepsItsPlace", factory(loses_what_is_touched)},
      {"an admission of nobody is let through", "AnAdmissionOfNobodyIsRefused", factory(admits_nobody)},
      {"the cap is counted in a step of its own", "TheCapIsExact", factory(counts_loosely)},
      {"the cap is exact for each handle by itself", "TheCapIsExactAcrossHandles", factory(counts_per_handle)},
      {"the epoch is looked at in a step of its own", "NothingSlipsPastASubjectsEpoch", factory(looks_at_epochs_first)},
      {"the epoch is looked at in a step of its own", "NothingSlipsPastEveryonesEpoch", factory(looks_at_epochs_first)},
  };
}

}  // namespace sancho
