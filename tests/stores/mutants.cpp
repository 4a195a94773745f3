#include "mutants.hpp"

#include "spoilt.hpp"

namespace sancho {

namespace {
using std::nullopt;

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
    s.on_scan = [](Spoilt& t, auto& each) { t.in.scan()->walk([&](auto& e) { return each(e) && each(e); }, soon()); };
  };
  const auto first_page = [](Spoilt& s) {
    s.on_scan = [](Spoilt& t, auto& each) {
      int n = 0;
      t.in.scan()->walk([&](auto& e) { return n++ < 100 && each(e); }, soon());
    };
  };
  const auto headstrong = [](Spoilt& s) {
    s.on_scan = [](Spoilt& t, auto& each) { t.in.scan()->walk([&](auto& e) { return each(e), true; }, soon()); };
  };
  const auto by_offset = [](Spoilt& s) {
    // Goes on by position, and what was erased shifts the rest.
    s.on_scan = [](Spoilt& t, auto& each) {
      for (std::size_t at = 0;; ++at) {
        std::vector<KeyedRecord> all;
        t.in.scan()->walk([&](auto& e) { return all.push_back(e), true; }, soon());
        if (at >= all.size() || !each(all[at])) return;
      }
    };
  };
  const auto everyone = [](Spoilt& s) {
    s.on_find = [](Spoilt& t, std::string_view) {
      std::vector<KeyedRecord> all;
      t.in.scan()->walk([&](auto& e) { return all.push_back(e), true; }, soon());
      return all;
    };
  };
  const auto live_alone = [](Spoilt& s) {
    s.on_find = [](Spoilt& t, std::string_view subject) {
      auto found = t.in.subjects()->find_by_subject(subject, soon());
      std::erase_if(found, [](const auto& each) { return each.record.state != State::live; });
      return found;
    };
  };
  const auto as_created = [](Spoilt& s) {
    s.on_find = [](Spoilt& t, std::string_view subject) {
      auto found = t.in.subjects()->find_by_subject(subject, soon());
      for (auto& each : found) each.record = *t.recall(each.key);
      return found;
    };
  };
  return {
      {"scan shows a session twice", "ScanSeesEachSessionOnce", factory(twice)},
      {"scan shows the first page", "ScanSeesEachSessionOnce", factory(first_page)},
      {"scan calls everything live", "ScanSeesLiveSessionsOnly", factory([](Spoilt& s) {
         s.on_scan = [](Spoilt& t, auto& each) {
           t.in.scan()->walk([&](KeyedRecord e) { return e.record.state = State::live, each(e); }, soon());
         };
       })},
      {"a walk shows live records only", "AWalkSeesRecordsOfEveryState", factory([](Spoilt& s) {
         s.on_scan = [](Spoilt& t, auto& each) { t.in.scan()->iter_sessions(each, soon()); };
       })},
      {"scan shows what has expired", "ScanDoesNotSeeWhatHasExpired", factory(expired_too)},
      {"scan cannot be stopped", "ScanStopsWhenToldTo", factory(headstrong)},
      {"scan goes by position", "TheStoreMayBeUsedDuringAScan", factory(by_offset)},
      {"count counts all states", "CountCountsLiveSessions", factory(any_state)},
      {"count counts what has expired", "CountDoesNotCountWhatHasExpired", factory(expired_too)},
      {"everybody's sessions are found", "ASubjectFindsItsSessions", factory(everyone)},
      {"a subject finds all states", "ASubjectFindsWhatIsASessionOrMayLeadToOne", factory(any_state)},
      {"a subject finds live records only", "ASubjectFindsWhatIsASessionOrMayLeadToOne", factory(live_alone)},
      {"a subject finds what has ended", "ASubjectFindsNoSessionThatHasEnded", factory(any_state)},
      {"a subject finds what was created", "ASubjectFindsWhatAPendingRecordBecame", factory(as_created)},
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
  const int before = t.touches_so_far;
  t.in.scan()->walk(
      [&](const KeyedRecord& e) {
        if (q.accessed_before && e.record.accessed < *q.accessed_before) doomed.push_back(e.key);
        return true;
      },
      soon());
  // Until somebody came between, or nobody will.
  for (int n = 0; n < 200 && !doomed.empty() && t.touches_so_far == before; ++n) std::this_thread::sleep_for(std::chrono::milliseconds{1});
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

// Reads the index, and then the records that it named.
const Spoil looks_up_one_by_one = [](Spoilt& s) {
  s.on_find = [](Spoilt& t, std::string_view subject) {
    auto found = t.in.subjects()->find_by_subject(subject, soon());
    std::this_thread::sleep_for(std::chrono::microseconds{200});
    std::erase_if(found, [&](KeyedRecord& each) {
      const auto now = t.in.load(each.key, soon());
      return !now || !may_open(now->state);
    });
    return found;
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
      {"a subject's records are looked up one by one", "ASessionIsInEveryListWhileOneRecordTakesOverFromAnother", factory(looks_up_one_by_one)},
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

conformance::Factory without_powers() {
  return factory([](Spoilt& s) { s.has_epochs = s.has_scan = false; });
}

std::vector<Mutant> mutants() {
  auto all = mutants_of_verbs();
  for (auto chapter : {mutants_of_epochs(), listing_mutants(), race_mutants(), place_mutants()}) all.insert(all.end(), chapter.begin(), chapter.end());
  return all;
}

}  // namespace sancho
