#include "mutants.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "sancho/stores/memory.hpp"

namespace sancho {

namespace {

using std::nullopt;

// ## The decorator
//
// A store over another one, each verb to be replaced. `past` remembers what
// was written, so that a mutant can show what has expired. One memory store
// stands behind all handles of a venue, so that the suite can open it twice
// and close it.
struct Spoilt final : SessionStore, SubjectIndex, Scan {
  explicit Spoilt(SessionStore& store) : in(store) {}
  SessionStore& in;
  std::mutex mutex;
  std::map<SessionKey, Record> past;

  std::function<std::optional<Record>(Spoilt&, const SessionKey&)> on_load;
  std::function<CreateAnswer(Spoilt&, const SessionKey&, const Record&)> on_create;
  std::function<CommitAnswer(Spoilt&, const SessionKey&, const Version&, const Record&)> on_commit;
  std::function<TouchAnswer(Spoilt&, const SessionKey&, std::uint64_t, Time)> on_touch;
  std::function<EraseAnswer(Spoilt&, const SessionKey&, const std::optional<Version>&)> on_erase;
  std::function<SweepAnswer(Spoilt&, const SweepRequest&)> on_sweep;
  std::function<std::vector<KeyedRecord>(Spoilt&, std::string_view)> on_find;
  std::function<void(Spoilt&, const std::function<bool(const KeyedRecord&)>&)> on_scan;
  std::function<std::size_t(Spoilt&)> on_count;
  std::function<void(Spoilt&)> on_setup;
  bool has_name = true, ignores_admission = false;

  static Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }
  void remember(const SessionKey& key, const Record& record) {
    const std::lock_guard lock(mutex);
    past[key] = record;
  }
  std::optional<Record> recall(const SessionKey& key) {
    const std::lock_guard lock(mutex);
    const auto at = past.find(key);
    return at == past.end() ? nullopt : std::optional(at->second);
  }
  std::map<SessionKey, Record> all_past() {
    const std::lock_guard lock(mutex);
    return past;
  }

  std::optional<Record> load(const SessionKey& key, Deadline d) override { return on_load ? on_load(*this, key) : in.load(key, d); }
  CreateAnswer create(const SessionKey& key, const Record& r, Deadline d, const Admission* admission) override {
    auto answer = on_create ? on_create(*this, key, r) : in.create(key, r, d, ignores_admission ? nullptr : admission);
    if (std::holds_alternative<Done>(answer)) remember(key, r);
    return answer;
  }
  CommitAnswer commit(const SessionKey& key, const Version& v, const Record& r, Deadline d) override {
    return on_commit ? on_commit(*this, key, v, r) : in.commit(key, v, r, d);
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t i, Time t, Deadline d) override {
    return on_touch ? on_touch(*this, key, i, t) : in.touch(key, i, t, d);
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& v, Deadline d) override {
    return on_erase ? on_erase(*this, key, v) : in.erase(key, v, d);
  }
  SweepAnswer sweep(const SweepRequest& q, Deadline d) override { return on_sweep ? on_sweep(*this, q) : in.sweep(q, d); }
  // Claims all there is, so that every fact is asked.
  StoreTraits traits() const override { return {.thread_safe = true, .multiprocess_safe = true, .durable = true, .linearizable = true}; }
  std::string name() const override { return has_name ? in.name() : ""; }
  void setup() override {
    if (on_setup) on_setup(*this);
  }
  SubjectIndex* subjects() override { return this; }
  Scan* scan() override { return this; }
  std::vector<KeyedRecord> find_by_subject(std::string_view s, Deadline d) override {
    return on_find ? on_find(*this, s) : in.subjects()->find_by_subject(s, d);
  }
  void iter_sessions(const std::function<bool(const KeyedRecord&)>& each, Deadline d) override {
    return on_scan ? on_scan(*this, each) : in.scan()->iter_sessions(each, d);
  }
  std::size_t count(Deadline d) override { return on_count ? on_count(*this) : in.scan()->count(d); }
};

using Spoil = std::function<void(Spoilt&)>;

// `shared` false: every opening is another place.
conformance::Factory factory(Spoil spoil, bool shared = true, Spoil on_reopening = {}) {
  return [=] {
    struct Place {
      std::unique_ptr<SessionStore> store;
      std::vector<std::unique_ptr<SessionStore>> more;
    };
    auto place = std::make_shared<Place>();
    return conformance::Venue{.open = [=](const Clock& clock) -> std::unique_ptr<SessionStore> {
      const bool first = !place->store;
      if (first) place->store = open_memory_store(clock);
      auto* in = place->store.get();
      if (!first && !shared) in = place->more.emplace_back(open_memory_store(clock)).get();
      auto store = std::make_unique<Spoilt>(*in);
      if (spoil) spoil(*store);
      if (!first && on_reopening) on_reopening(*store);
      return store;
    }};
  };
}

Deadline soon() { return Spoilt::soon(); }

// Overwrites: what no verb of the contract does.
void force(Spoilt& s, const SessionKey& key, const Record& record) {
  s.in.erase(key, nullopt, soon());
  s.in.create(key, record, soon());
}

// A load and a commit that are two steps where one is asked for.
std::optional<Record> leisurely_load(Spoilt& s, const SessionKey& key) {
  auto record = s.in.load(key, soon());
  std::this_thread::sleep_for(std::chrono::microseconds{200});
  return record;
}

// What the commit of a mutant wrote instead of the record it was given.
Spoil writes(std::function<void(Record& given, const Record& before)> change) {
  return [=](Spoilt& s) {
    s.on_commit = [=](Spoilt& t, const SessionKey& key, const Version& v, const Record& r) -> CommitAnswer {
      const auto before = t.in.load(key, soon());
      if (!before || before->version != v || before->subject != r.subject) return t.in.commit(key, v, r, soon());
      auto changed = r;
      changed.accessed = std::max(changed.accessed, before->accessed);
      change(changed, *before);
      force(t, key, changed);
      return Done{};
    };
  };
}

Spoil stores(std::function<void(Record&)> change) {
  return [=](Spoilt& s) {
    s.on_create = [=](Spoilt& t, const SessionKey& key, const Record& r) {
      auto changed = r;
      change(changed);
      return t.in.create(key, changed, soon());
    };
  };
}

Spoil sweeps(std::function<SweepAnswer(Spoilt&, const SweepRequest&)> how) {
  return [=](Spoilt& s) { s.on_sweep = how; };
}

// Keys that a careless store takes for one.
SessionKey cut_key(const SessionKey& key) {
  std::string bytes(key.bytes());
  bytes.resize(std::min(bytes.find('\0'), bytes.size()));
  bytes.resize(32, '\0');
  return *SessionKey::from_bytes(bytes);
}

// The mutants of one verb each.
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
      {"an admission is ignored", "AnAdmissionThatIsNotHonouredIsRefused", factory([](Spoilt& s) { s.ignores_admission = true; })},
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

// A touch that writes what it likes.
Spoil touches(std::function<void(Record&, Time)> change) {
  return [=](Spoilt& s) {
    s.on_touch = [=](Spoilt& t, const SessionKey& key, std::uint64_t incarnation, Time time) -> TouchAnswer {
      auto there = t.in.load(key, soon());
      if (!there || there->state != State::live || there->version.incarnation != incarnation) return Gone{};
      change(*there, time);
      force(t, key, *there);
      return Done{};
    };
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

std::vector<Mutant> sweep_mutants() {
  return {
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

// A scan or search that adds what `counts` of all that was ever created.
Spoil scans(std::function<bool(Spoilt&, const SessionKey&, const Record&)> counts) {
  return [=](Spoilt& s) {
    s.on_scan = [=](Spoilt& t, const std::function<bool(const KeyedRecord&)>& each) {
      for (const auto& [key, record] : t.all_past())
        if (counts(t, key, record) && !each({key, record})) return;
    };
    s.on_find = [=](Spoilt& t, std::string_view subject) {
      std::vector<KeyedRecord> found;
      for (const auto& [key, record] : t.all_past())
        if (record.subject == subject && counts(t, key, record)) found.push_back({key, record});
      return found;
    };
    s.on_count = [=](Spoilt& t) {
      std::size_t n = 0;
      for (const auto& [key, record] : t.all_past()) n += counts(t, key, record);
      return n;
    };
  };
}

std::vector<Mutant> listing_mutants() {
  const auto any_state = scans([](Spoilt& t, auto& key, auto&) { return t.in.load(key, soon()).has_value(); });
  const auto expired_too = scans([](Spoilt&, auto&, auto& record) { return record.state == State::live; });
  const auto twice = [](Spoilt& s) {
    s.on_scan = [](Spoilt& t, auto& each) { t.in.scan()->iter_sessions([&](auto& e) { return each(e) && each(e); }, soon()); };
  };
  const auto first_page = [](Spoilt& s) {
    s.on_scan = [](Spoilt& t, auto& each) {
      int n = 0;
      t.in.scan()->iter_sessions([&](auto& e) { return n++ < 100 && each(e); }, soon());
    };
  };
  const auto headstrong = [](Spoilt& s) {
    s.on_scan = [](Spoilt& t, auto& each) { t.in.scan()->iter_sessions([&](auto& e) { return each(e), true; }, soon()); };
  };
  const auto by_offset = [](Spoilt& s) {
    // Goes on by position, and what was erased shifts the rest.
    s.on_scan = [](Spoilt& t, auto& each) {
      for (std::size_t at = 0;; ++at) {
        std::vector<KeyedRecord> all;
        t.in.scan()->iter_sessions([&](auto& e) { return all.push_back(e), true; }, soon());
        if (at >= all.size() || !each(all[at])) return;
      }
    };
  };
  const auto everyone = [](Spoilt& s) {
    s.on_find = [](Spoilt& t, std::string_view) {
      std::vector<KeyedRecord> all;
      t.in.scan()->iter_sessions([&](auto& e) { return all.push_back(e), true; }, soon());
      return all;
    };
  };
  return {
      {"scan shows a session twice", "ScanSeesEachSessionOnce", factory(twice)},
      {"scan shows the first page", "ScanSeesEachSessionOnce", factory(first_page)},
      {"scan shows what is not live", "ScanSeesLiveSessionsOnly", factory(any_state)},
      {"scan shows what has expired", "ScanDoesNotSeeWhatHasExpired", factory(expired_too)},
      {"scan cannot be stopped", "ScanStopsWhenToldTo", factory(headstrong)},
      {"scan goes by position", "TheStoreMayBeUsedDuringAScan", factory(by_offset)},
      {"count counts all states", "CountCountsLiveSessions", factory(any_state)},
      {"count counts what has expired", "CountDoesNotCountWhatHasExpired", factory(expired_too)},
      {"everybody's sessions are found", "ASubjectFindsItsSessions", factory(everyone)},
      {"a subject finds all states", "ASubjectFindsLiveSessionsOnly", factory(any_state)},
      {"a subject finds what has expired", "ASubjectDoesNotFindWhatHasExpired", factory(expired_too)},
      {"nobody's sessions are found", "NobodyHasNoSessions", factory(everyone)},
  };
}

// Compare, then write: two steps that others come between.
const Spoil loose_commit = [](Spoilt& s) {
  s.on_commit = [](Spoilt& t, const SessionKey& key, const Version& v, const Record& r) -> CommitAnswer {
    const auto there = leisurely_load(t, key);
    if (!there) return Gone{};
    if (there->version != v) return Conflict{*there};
    for (;;) {  // whatever the version is by now
      const auto now = t.in.load(key, soon());
      if (!now) return Gone{};
      if (std::holds_alternative<Done>(t.in.commit(key, now->version, r, soon()))) return Done{};
    }
  };
};

const Spoil loose_create = [](Spoilt& s) {
  s.on_create = [](Spoilt& t, const SessionKey& key, const Record& r) -> CreateAnswer {
    if (const auto there = leisurely_load(t, key)) return Taken{*there};
    force(t, key, r);
    return Done{};
  };
};

const Spoil loose_touch = [](Spoilt& s) {
  s.on_touch = [](Spoilt& t, const SessionKey& key, std::uint64_t incarnation, Time time) -> TouchAnswer {
    auto there = leisurely_load(t, key);
    if (!there || there->state != State::live || there->version.incarnation != incarnation) return Gone{};
    there->accessed = std::max(there->accessed, time);
    force(t, key, *there);
    return Done{};
  };
};

const Spoil loose_sweep = sweeps([](Spoilt& t, const SweepRequest& q) {
  std::vector<SessionKey> doomed;
  t.in.scan()->iter_sessions(
      [&](const KeyedRecord& e) {
        if (q.accessed_before && e.record.accessed < *q.accessed_before) doomed.push_back(e.key);
        return true;
      },
      soon());
  std::this_thread::sleep_for(std::chrono::milliseconds{1});
  SweepAnswer answer;
  for (const auto& key : doomed) answer.removed += std::holds_alternative<Removed>(t.in.erase(key, nullopt, soon()));
  return answer;
});

// Replaces a record by removing it first.
const Spoil gap = [](Spoilt& s) {
  s.on_commit = [](Spoilt& t, const SessionKey& key, const Version& v, const Record& r) -> CommitAnswer {
    const auto erased = t.in.erase(key, v, soon());
    if (const auto* conflict = std::get_if<Conflict>(&erased)) return *conflict;
    if (std::holds_alternative<Absent>(erased)) return Gone{};
    std::this_thread::sleep_for(std::chrono::microseconds{200});
    t.in.create(key, r, soon());
    return Done{};
  };
};

std::vector<Mutant> race_mutants() {
  return {
      {"commit compares and writes in two steps", "OneCommitWinsEachVersion", factory(loose_commit)},
      {"commit compares and writes in two steps", "OneCommitWinsEachVersionAcrossHandles", factory(loose_commit)},
      {"create looks and writes in two steps", "OneCreateWins", factory(loose_create)},
      {"create looks and writes in two steps", "OneCreateWinsAcrossHandles", factory(loose_create)},
      {"touch reads and writes in two steps", "ATouchNeverUndoesACommit", factory(loose_touch)},
      {"sweep looks and removes in two steps", "SweepTestsAgainBeforeItRemoves", factory(loose_sweep)},
      {"commit removes the record and puts the next one", "AReaderNeverMissesARecordThatChanges", factory(gap)},
  };
}

std::vector<Mutant> place_mutants() {
  const Spoil clears = [](Spoilt& s) {
    s.on_setup = [](Spoilt& t) {
      for (const auto& [key, record] : t.all_past()) t.in.erase(key, nullopt, soon());
    };
  };
  // What is opened again shows every record as a live one.
  const Spoil revives = [](Spoilt& s) {
    s.on_load = [](Spoilt& t, const SessionKey& key) {
      auto there = t.in.load(key, soon());
      if (there) there->state = State::live;
      return there;
    };
  };
  return {
      {"setup empties the store", "SetupDestroysNothing", factory(clears)},
      {"it has no name", "TheStoreHasAName", factory([](Spoilt& s) { s.has_name = false; })},
      {"what was written goes with the handle", "ReopeningKeepsEverything", factory({}, false)},
      {"what had ended comes back", "ReopeningRevivesNothing", factory({}, true, revives)},
      {"every handle has its own sessions", "AnotherHandleSeesEveryWrite", factory({}, false)},
      {"erase says absent on every wrong version", "AnyWalkGetsTheOraclesAnswers", factory([](Spoilt& s) {
         s.on_erase = [](Spoilt& t, auto& key, auto& v) -> EraseAnswer {
           auto answer = t.in.erase(key, v, soon());
           return std::holds_alternative<Conflict>(answer) ? EraseAnswer{Absent{}} : answer;
         };
       })},
  };
}

}  // namespace

conformance::Factory healthy() { return factory({}); }

std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  for (auto chapter : {create_mutants(), commit_mutants(), touch_mutants(), erase_mutants(), expiry_mutants(), sweep_mutants(),
                       bytes_mutants(), listing_mutants(), race_mutants(), place_mutants()})
    all.insert(all.end(), chapter.begin(), chapter.end());
  return all;
}

}  // namespace sancho
