// Mutants whose fault shows in one answer.
#include "spoilt.hpp"

namespace sancho {

namespace {
using std::nullopt;

// Keys that a careless store takes for one.
SessionKey cut_key(const SessionKey& key) {
  std::string bytes(key.bytes());
  bytes.resize(std::min(bytes.find('\0'), bytes.size()));
  bytes.resize(32, '\0');
  return *SessionKey::from_bytes(bytes);
}

// The mutants of one verb each.
std::vector<Mutant> load_mutants() {
  return {
      {"load_into keeps what was in the record", "WhatWasCreatedIsLoaded", factory([](Spoilt& s) {
         s.on_load_into = [](Spoilt& t, auto& key, auto& r) {
           auto found = t.in.load(key, soon());
           if (found) found->subject.swap(r.subject), r = *found;
           return found.has_value();
         };
       })},
      {"load_into finds what is not there", "WhatWasCreatedIsLoaded", factory([](Spoilt& s) {
         s.on_load_into = [](Spoilt& t, auto& key, auto& r) {
           if (auto found = t.in.load(key, soon())) r = *found;
           return true;
         };
       })},
      {"load_into shows what has expired", "AnIdleRecordIsAbsent", factory([](Spoilt& s) {
         s.on_load_into = [](Spoilt& t, auto& key, auto& r) {
           auto found = t.in.load(key, soon());
           if (!found) found = t.recall(key);
           if (found) r = *found;
           return found.has_value();
         };
       })},
  };
}

std::vector<Mutant> create_mutants() {
  return {
      {"create keeps nothing", "WhatWasCreatedIsLoaded", factory([](Spoilt& s) { s.on_create = [](auto&, auto&, auto&) { return Done{}; }; })},
      {"create overwrites", "CreateNeverOverwrites", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) { return force(t, key, r), Done{}; };
       })},
      {"create overwrites what is not live", "CreateNeverOverwrites", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) -> CreateAnswer {
           const auto there = t.in.load(key, soon());
           if (!there || there->state == State::live) return t.in.create(key, r, soon());
           return force(t, key, r), Done{};
         };
       })},
      {"taken carries the record that was offered", "TakenCarriesTheCurrentRecord", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) -> CreateAnswer {
           auto answer = t.in.create(key, r, soon());
           return std::holds_alternative<Taken>(answer) ? CreateAnswer{Taken{r}} : answer;
         };
       })},
      {"an expired record takes its key", "CreateTakesTheKeyOfAnExpiredRecord", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) -> CreateAnswer {
           const auto past = t.recall(key);
           return past && !t.in.load(key, soon()) ? CreateAnswer{Taken{*past}} : t.in.create(key, r, soon());
         };
       })},
      {"an admission is ignored", "AnAdmissionThatIsNotHonouredIsRefused", factory([](Spoilt& s) { s.has_epochs = false, s.ignores_admission = true; })},
  };
}

std::vector<Mutant> commit_mutants() {
  return {
      {"commit writes nothing", "CommitReplacesTheRecord", factory(writes([](Record& r, const Record& before) { r = before; }))},
      {"commit forgets the new idle time", "CommitReplacesTheRecord", factory(writes([](Record& r, const Record& before) { r.idle = before.idle; }))},
      {"commit forgets the new handle", "CommitReplacesTheRecord", factory(writes([](Record& r, const Record& before) { r.handle = before.handle; }))},
      {"commit creates", "CommitNeverCreates", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           if (!t.in.load(key, soon())) return t.in.create(key, r, soon()), Done{};
           return t.in.commit(key, v, r, soon());
         };
       })},
      {"commit does not compare the counter", "CommitComparesTheCounter", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           return t.in.commit(key, there && there->version.incarnation == v.incarnation ? there->version : v, r, soon());
         };
       })},
      {"commit accepts any greater counter", "CommitComparesTheCounter", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           return t.in.commit(key, there && there->version < v && there->version.incarnation == v.incarnation ? there->version : v, r, soon());
         };
       })},
      {"commit does not compare the incarnation", "CommitComparesTheIncarnation", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           return t.in.commit(key, there && there->version.counter == v.counter ? there->version : v, r, soon());
         };
       })},
      {"a conflict carries the record that was offered", "ConflictCarriesTheCurrentRecord", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           auto answer = t.in.commit(key, v, r, soon());
           return std::holds_alternative<Conflict>(answer) ? CommitAnswer{Conflict{r}} : answer;
         };
       })},
      {"commit sets the access time back", "CommitKeepsTheGreaterAccessTime", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           if (!there || there->version != v) return t.in.commit(key, v, r, soon());
           return force(t, key, r), Done{};
         };
       })},
      {"commit leaves the access time alone", "CommitRaisesTheAccessTime",
       factory(writes([](Record& r, const Record& before) { r.accessed = before.accessed; }))},
      {"commit changes the subject", "CommitNeverChangesTheSubject", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           if (!there || there->version != v || there->subject == r.subject) return t.in.commit(key, v, r, soon());
           return force(t, key, r), Done{};
         };
       })},
      {"commit gives nobody's session a subject", "CommitNeverChangesTheSubject", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto there = t.in.load(key, soon());
           if (!there || there->version != v || !there->subject.empty()) return t.in.commit(key, v, r, soon());
           return force(t, key, r), Done{};
         };
       })},
      {"what is not live stays so", "CommitChangesAnyStateToAnyOther", factory(writes([](Record& r, const Record& before) {
         if (before.state != State::live) r.state = before.state;
       }))},
      {"commit revives what has expired", "CommitToAnExpiredRecordIsGone", factory([](Spoilt& s) {
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) -> CommitAnswer {
           const auto past = t.recall(key);
           if (t.in.load(key, soon()) || !past || past->version != v) return t.in.commit(key, v, r, soon());
           return t.in.create(key, r, soon()), Done{};
         };
       })},
  };
}

std::vector<Mutant> touch_mutants() {
  return {
      {"touch counts as a new version", "TouchRaisesTheAccessTimeAndNothingElse", factory(touches([](Record& r, Time t) {
         r.accessed = std::max(t, r.accessed), ++r.version.counter;
       }))},
      {"touch does nothing", "TouchRaisesTheAccessTimeAndNothingElse", factory(touches([](Record&, Time) {}))},
      {"touch forgets the subject", "TouchRaisesTheAccessTimeAndNothingElse", factory(touches([](Record& r, Time t) {
         r.accessed = std::max(t, r.accessed), r.subject.clear();
       }))},
      {"touch lowers the access time", "TouchNeverLowersTheAccessTime", factory(touches([](Record& r, Time t) { r.accessed = t; }))},
      {"touch does not prolong the life", "TouchProlongsTheLife", factory(touches([](Record& r, Time t) {
         if (t <= r.accessed) return;
         r.ends = r.expires(), r.accessed = t;
       }))},
      {"touch does not compare the incarnation", "TouchOfAnotherIncarnationIsGone", factory([](Spoilt& s) {
         s.on_touch = [](Spoilt& t, auto& key, auto, auto time) -> TouchAnswer {
           const auto there = t.in.load(key, soon());
           return there ? t.in.touch(key, there->version.incarnation, time, soon()) : Gone{};
         };
       })},
      {"touch raises what is not live", "TouchOfWhatIsNotLiveIsGone", factory([](Spoilt& s) {
         s.on_touch = [](Spoilt& t, auto& key, auto incarnation, auto time) -> TouchAnswer {
           auto there = t.in.load(key, soon());
           if (!there || there->state == State::live) return t.in.touch(key, incarnation, time, soon());
           there->accessed = time;
           return force(t, key, *there), Done{};
         };
       })},
      {"touch says done for a tombstone", "TouchOfWhatIsNotLiveIsGone", factory([](Spoilt& s) {
         s.on_touch = [](Spoilt& t, auto& key, auto incarnation, auto time) -> TouchAnswer {
           const auto there = t.in.load(key, soon());
           return there && there->state == State::ended ? Done{} : t.in.touch(key, incarnation, time, soon());
         };
       })},
      {"touch is always done", "TouchOfNothingIsGone", factory([](Spoilt& s) { s.on_touch = [](auto&, auto&, auto, auto) { return Done{}; }; })},
      {"touch revives what has expired", "TouchOfAnExpiredRecordIsGone", factory([](Spoilt& s) {
         s.on_touch = [](Spoilt& t, auto& key, auto incarnation, auto time) -> TouchAnswer {
           auto past = t.recall(key);
           if (t.in.load(key, soon()) || !past) return t.in.touch(key, incarnation, time, soon());
           past->accessed = time;
           return t.in.create(key, *past, soon()), Done{};
         };
       })},
  };
}

std::vector<Mutant> erase_mutants() {
  return {
      {"erase removes nothing", "EraseRemovesTheExpectedVersion", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto&) -> EraseAnswer {
           const auto there = t.in.load(key, soon());
           return there ? EraseAnswer{Removed{*there}} : Absent{};
         };
       })},
      {"erase leaves a tombstone alone", "EraseRemovesTheExpectedVersion", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer {
           const auto there = t.in.load(key, soon());
           return there && there->state == State::ended ? EraseAnswer{Absent{}} : t.in.erase(key, v, soon());
         };
       })},
      {"erase wants a version", "EraseRemovesAnyVersionIfNoneIsExpected", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer { return v ? t.in.erase(key, v, soon()) : Absent{}; };
       })},
      {"erase gives the record that was created", "EraseRemovesAnyVersionIfNoneIsExpected", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer {
           auto answer = t.in.erase(key, v, soon());
           return std::holds_alternative<Removed>(answer) ? EraseAnswer{Removed{*t.recall(key)}} : answer;
         };
       })},
      {"erase removes whatever version", "EraseOfAnotherVersionIsAConflict", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto&) { return t.in.erase(key, nullopt, soon()); };
       })},
      {"erase compares the counter only", "EraseOfAnotherVersionIsAConflict", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) {
           const auto there = t.in.load(key, soon());
           return t.in.erase(key, v && there && v->counter == there->version.counter ? nullopt : v, soon());
         };
       })},
      {"erase of nothing is removed", "EraseOfNothingIsAbsent", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer {
           auto answer = t.in.erase(key, v, soon());
           return std::holds_alternative<Absent>(answer) ? EraseAnswer{Removed{}} : answer;
         };
       })},
      {"erase removes what has expired", "EraseOfAnExpiredRecordIsAbsent", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer {
           const auto past = t.recall(key);
           return past && !t.in.load(key, soon()) ? EraseAnswer{Removed{*past}} : t.in.erase(key, v, soon());
         };
       })},
      {"a key is used up", "AnErasedKeyMayBeUsedAgain", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) -> CreateAnswer {
           const auto past = t.recall(key);
           return past ? CreateAnswer{Taken{*past}} : t.in.create(key, r, soon());
         };
       })},
  };
}

std::vector<Mutant> expiry_mutants() {
  const auto load_of = [](auto counts) {
    return factory([=](Spoilt& s) {
      s.on_load = [=](Spoilt& t, const SessionKey& key) -> std::optional<Record> {
        if (auto there = t.in.load(key, soon())) return there;
        const auto past = t.recall(key);
        return past && counts(*past) ? past : nullopt;
      };
    });
  };
  return {
      {"an idle session is there", "AnIdleRecordIsAbsent", load_of([](const Record& r) { return r.state == State::live; })},
      {"an idle pending record is there", "AnIdleRecordIsAbsent", load_of([](const Record& r) { return r.state == State::pending; })},
      {"a tombstone is there for ever", "ARecordBeyondItsEndIsAbsent", load_of([](const Record& r) { return r.state == State::ended; })},
      {"a tombstone idles", "IdleTimeEndsOnlyPendingAndLiveRecords", factory(stores([](Record& r) { r.ends = std::min(r.accessed + r.idle, r.ends); }))},
  };
}

// Looks at some records from the first key on, or from where it stopped: the
// latter if `resumes` says so of the moments then and now.
Spoil walks(std::function<bool(Time then, Time now)> resumes) {
  return [=](Spoilt& s) {
    struct Place {
      std::optional<SessionKey> after;
      Time moment;
    };
    auto place = std::make_shared<Place>();
    s.on_sweep = [=](Spoilt& t, const SweepRequest& q) {
      if (!q.accessed_before) return t.in.sweep(q, soon());
      if (place->after && !resumes(place->moment, *q.accessed_before)) place->after.reset();
      place->moment = *q.accessed_before;
      std::map<SessionKey, Record> all;
      t.in.scan()->walk([&](auto& e) { return all[e.key] = e.record, true; }, soon());
      SweepAnswer answer;
      std::size_t looked = 0;
      for (auto at = place->after ? all.upper_bound(*place->after) : all.begin(); at != all.end(); ++at) {
        if (answer.removed >= q.budget || ++looked > 100) return answer.more = true, answer;
        place->after = at->first;
        if (at->second.state != State::live || at->second.accessed >= *q.accessed_before) continue;
        t.in.erase(at->first, nullopt, soon());
        answer.count(at->second);
      }
      place->after.reset();
      return answer;
    };
  };
}

std::vector<Mutant> sweep_mutants() {
  return {
      {"a sweep for old sessions finds none, for want of a list", "ASweepForOldSessionsThatCannotListThemIsRefused", factory([](Spoilt& s) {
         s.has_scan = false;
         s.on_sweep = [](auto&, auto&) { return SweepAnswer{}; };
       })},
      {"sweep leaves tombstones", "SweepRemovesWhatHasExpired", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         answer.removed = answer.sessions;
         return answer;
       }))},
      {"sweep removes the living", "SweepKeepsWhatHasNotExpired", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         return t.in.sweep({q.budget, Time::max()}, soon());
       }))},
      {"touch only pretends, and sweep takes the session", "SweepKeepsWhatWasTouched", factory(touches([](Record&, Time) {}))},
      {"sweep has no budget", "SweepStopsAtItsBudgetAndSaysSo", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         return t.in.sweep({1'000'000, q.accessed_before}, soon());
       }))},
      {"sweep never says that more waits", "SweepStopsAtItsBudgetAndSaysSo", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         answer.more = false;
         return answer;
       }))},
      {"sweep says for ever that more waits", "SweepStopsAtItsBudgetAndSaysSo", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         answer.more = true;
         return answer;
       }))},
      {"sweep counts tombstones as sessions", "SweepReportsTheSessionsItRemoved", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         answer.sessions = answer.removed;
         return answer;
       }))},
      {"sweep names nobody", "SweepReportsTheSessionsItRemoved", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         answer.handles.clear();
         return answer;
       }))},
      {"sweep knows only expiry", "SweepRemovesSessionsNotAccessedSince", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         return t.in.sweep({q.budget, {}}, soon());
       }))},
      {"sweep takes those accessed at that moment too", "SweepRemovesSessionsNotAccessedSince", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto wider = q;
         if (wider.accessed_before) *wider.accessed_before += Duration{1};
         return t.in.sweep(wider, soon());
       }))},
      {"sweep begins anew for every later moment", "ASweepForOldSessionsGetsToTheEndThoughEachAsksForALaterMoment",
       factory(walks([](Time then, Time now) { return then == now; }))},
      {"sweep goes on for a later moment and does not look back", "ASweepForOldSessionsThatJoinsAnEarlierOneMissesNothing",
       factory(walks([](Time, Time) { return true; }))},
      {"sweep takes old tombstones", "SweepOfOldSessionsTakesLiveOnesOnly", factory(sweeps([](Spoilt& t, const SweepRequest& q) {
         auto answer = t.in.sweep(q, soon());
         for (const auto& [key, record] : t.all_past())
           if (q.accessed_before && record.accessed < *q.accessed_before) answer.removed += std::holds_alternative<Removed>(t.in.erase(key, nullopt, soon()));
         return answer;
       }))},
  };
}

std::vector<Mutant> bytes_mutants() {
  const auto c_string = [](std::string& s) { s = s.c_str(); };
  return {
      {"a payload ends at a zero byte", "PayloadsAreKeptByteForByte", factory(stores([=](Record& r) { c_string(r.payload); }))},
      {"a large payload is cut", "ALargePayloadIsKept", factory(stores([](Record& r) { r.payload.resize(std::min<std::size_t>(r.payload.size(), 65535)); }))},
      {"a subject ends at a zero byte", "SubjectsAreKeptByteForByte", factory(stores([=](Record& r) { c_string(r.subject); }))},
      {"a subject is trimmed", "SubjectsAreKeptByteForByte", factory(stores([](Record& r) { while (r.subject.ends_with(' ')) r.subject.pop_back(); }))},
      {"subjects are compared without case", "SubjectsAreComparedByteForByte", factory([](Spoilt& s) {
         s.on_find = [](Spoilt& t, std::string_view subject) {
           auto found = t.in.subjects()->find_by_subject(subject, soon());
           if (subject == "ada")
             for (auto& entry : t.in.subjects()->find_by_subject("Ada", soon())) found.push_back(entry);
           return found;
         };
       })},
      {"versions are signed and small", "ExtremeVersionsAreKept", factory(stores([](Record& r) { r.version.counter = std::min(r.version.counter, ~std::uint64_t{0} >> 1); }))},
      {"an incarnation is a double", "ExtremeVersionsAreKept", factory(stores([](Record& r) {
         if (r.version.incarnation >> 53) r.version.incarnation &= ~std::uint64_t{0x7ff};
       }))},
      {"a note becomes a tombstone", "EveryStateIsKept", factory(stores([](Record& r) { if (r.state == State::note) r.state = State::ended; }))},
      {"times are in seconds", "TimesAreKeptToTheMillisecond", factory(stores([](Record& r) { r.created -= r.created.time_since_epoch() % 1000; }))},
      {"an empty handle is filled in", "HandlesAreKept", factory(stores([](Record& r) { if (r.handle.empty()) r.handle = Handle::draw(system_random()); }))},
      {"a key ends at a zero byte", "KeysAreIndependent", factory([](Spoilt& s) {
         s.on_create = [](Spoilt& t, auto& key, auto& r) { return t.in.create(cut_key(key), r, soon()); };
         s.on_load = [](Spoilt& t, auto& key) { return t.in.load(cut_key(key), soon()); };
         s.on_commit = [](Spoilt& t, auto& key, auto& v, auto& r) { return t.in.commit(cut_key(key), v, r, soon()); };
         s.on_erase = [](Spoilt& t, auto& key, auto& v) { return t.in.erase(cut_key(key), v, soon()); };
       })},
  };
}

}  // namespace

std::vector<Mutant> mutants_of_verbs() {
  std::vector<Mutant> all;
  for (auto chapter : {load_mutants(), create_mutants(), commit_mutants(), touch_mutants(), erase_mutants(), expiry_mutants(), sweep_mutants(), bytes_mutants()})
    all.insert(all.end(), chapter.begin(), chapter.end());
  return all;
}

}  // namespace sancho
