#include <map>

#include "lab.hpp"

namespace sancho::conformance {

namespace {
// Every record of any state, and how often it was seen.
std::map<SessionKey, int> walked(Lab& lab) {
  std::map<SessionKey, int> times;
  lab.store().scan()->walk([&](const KeyedRecord& entry) { return ++times[entry.key], true; }, Lab::soon());
  return times;
}

// Every live record, and how often it was seen.
std::map<SessionKey, int> seen(Lab& lab) {
  std::map<SessionKey, int> times;
  lab.store().scan()->iter_sessions([&](const KeyedRecord& entry) { return ++times[entry.key], true; }, Lab::soon());
  return times;
}

std::string counted(std::size_t n) { return "count says " + std::to_string(n); }
}  // namespace

std::span<const Fact> listing_facts() {
  static const Fact facts[] = {
      {"ScanSeesEachSessionOnce", Need::scan,
       [](Lab& lab) {
         expect(seen(lab).empty(), "an empty store shows sessions");
         std::map<SessionKey, Record> put;
         for (int i = 0; i < 300; ++i) {
           const auto key = Lab::new_key();
           put[key] = lab.put(key, lab.new_lasting_record());
         }
         std::map<SessionKey, int> times;
         lab.store().scan()->iter_sessions(
             [&](const KeyedRecord& entry) {
               expect(put.contains(entry.key) && put.at(entry.key) == entry.record, "scan shows a record that is not stored");
               return ++times[entry.key], true;
             },
             Lab::soon());
         expect(times.size() == put.size(), "of 300 sessions scan shows " + std::to_string(times.size()));
         for (const auto& [key, n] : times) expect(n == 1, "scan shows a session more than once");
       }},
      {"ScanSeesLiveSessionsOnly", Need::scan,
       [](Lab& lab) {
         for (const auto state : all_states) lab.put(Lab::new_key(), state);
         expect(seen(lab).size() == 1, "scan shows what is not live");
       }},
      {"AWalkSeesRecordsOfEveryState", Need::scan,
       [](Lab& lab) {
         std::map<SessionKey, Record> put;
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           put[key] = lab.put(key, state);
         }
         lab.store().scan()->walk(
             [&](const KeyedRecord& entry) {
               expect(put.contains(entry.key) && put.at(entry.key) == entry.record, "a walk shows a record that is not stored");
               return true;
             },
             Lab::soon());
         expect(walked(lab).size() == put.size(), "of 5 records a walk shows " + std::to_string(walked(lab).size()));
       }},
      {"ScanDoesNotSeeWhatHasExpired", Need::scan,
       [](Lab& lab) {
         for (const auto state : all_states) {
           auto record = lab.new_record(state);
           record.ends = lab.now() + lab.units(5);
           lab.put(Lab::new_key(), record);
         }
         lab.pass(10);
         expect(walked(lab).empty(), "a walk shows an expired record");
       }},
      {"ScanStopsWhenToldTo", Need::scan,
       [](Lab& lab) {
         for (int i = 0; i < 20; ++i) lab.put(Lab::new_key());
         int calls = 0;
         lab.store().scan()->iter_sessions([&](const KeyedRecord&) { return ++calls < 3; }, Lab::soon());
         expect(calls == 3, "scan went on after it was told to stop");
       }},
      {"TheStoreMayBeUsedDuringAScan", Need::scan,
       [](Lab& lab) {
         for (int i = 0; i < 20; ++i) lab.put(Lab::new_key());
         int calls = 0;
         lab.store().scan()->iter_sessions(
             [&](const KeyedRecord& entry) {
               expect_answer<Done>(lab.store().commit(entry.key, entry.record.version, Lab::next(entry.record), Lab::soon()),
                                   "a commit during a scan was not done");
               if (++calls % 2) return true;
               expect_answer<Removed>(lab.store().erase(entry.key, std::nullopt, Lab::soon()), "an erase during a scan removed nothing");
               return true;
             },
             Lab::soon());
         expect(calls == 20, "a scan with commits and erasures of its own saw " + std::to_string(calls) + " of 20 sessions");
         expect(seen(lab).size() == 10, "erasures during a scan");
       }},
      {"CountCountsLiveSessions", Need::scan,
       [](Lab& lab) {
         auto& scan = *lab.store().scan();
         expect(scan.count(Lab::soon()) == 0, "an empty store: " + counted(scan.count(Lab::soon())));
         for (const auto state : states_not_live) lab.put(Lab::new_key(), state);
         for (int i = 0; i < 7; ++i) lab.put(Lab::new_key());
         expect(scan.count(Lab::soon()) == 7, "7 sessions and 4 other records: " + counted(scan.count(Lab::soon())));
       }},
      {"CountDoesNotCountWhatHasExpired", Need::scan,
       [](Lab& lab) {
         lab.put(Lab::new_key());
         lab.pass(10);
         expect(lab.store().scan()->count(Lab::soon()) == 0, "an expired session is counted");
       }},
      {"ASubjectFindsItsSessions", Need::subjects,
       [](Lab& lab) {
         std::map<SessionKey, Record> mine;
         for (int i = 0; i < 9; ++i) {
           auto record = lab.new_record();
           record.subject = i % 3 == 0 ? "ada" : i % 3 == 1 ? "eve" : "";
           const auto key = lab.key_for(record.subject);
           lab.put(key, record);
           if (i % 3 == 0) mine[key] = record;
         }
         const auto found = lab.store().subjects()->find_by_subject("ada", Lab::soon());
         expect(found.size() == 3, "of 3 sessions a subject finds " + std::to_string(found.size()));
         for (const auto& entry : found) expect(mine.contains(entry.key) && mine[entry.key] == entry.record, "a subject finds another's session");
         expect(lab.store().subjects()->find_by_subject("nobody we know", Lab::soon()).empty(), "an unknown subject has sessions");
       }},
      {"ASubjectFindsWhatIsASessionOrMayLeadToOne", Need::subjects,
       [](Lab& lab) {
         for (const auto state : all_states) {
           auto record = lab.new_record(state);
           record.subject = "ada";
           lab.put(lab.key_for("ada"), record);
         }
         const auto erased = lab.key_for("ada");
         auto record = lab.new_record();
         record.subject = "ada";
         lab.put(erased, record);
         lab.store().erase(erased, std::nullopt, Lab::soon());
         const auto found = lab.store().subjects()->find_by_subject("ada", Lab::soon());
         for (const auto& entry : found) expect(may_open(entry.record.state), "a subject finds a record that never opens anything");
         expect(found.size() == 3, "a pending, a live and a moved record are a subject's, and it finds " + std::to_string(found.size()));
       }},
      {"ASubjectFindsNoSessionThatHasEnded", Need::subjects,
       [](Lab& lab) {
         auto record = lab.new_record();
         record.subject = "ada";
         const auto key = lab.key_for("ada");
         lab.put(key, record);
         auto ended = Lab::next(record);
         ended.state = State::ended;
         expect_answer<Done>(lab.store().commit(key, record.version, ended, Lab::soon()), "a commit was not done");
         expect(lab.store().subjects()->find_by_subject("ada", Lab::soon()).empty(), "a subject finds a session that has ended");
       }},
      {"ASubjectFindsWhatAPendingRecordBecame", Need::subjects,
       [](Lab& lab) {
         auto record = lab.new_record(State::pending);
         record.subject = "ada";
         const auto key = lab.key_for("ada");
         lab.put(key, record);
         auto live = Lab::next(record);
         live.state = State::live;
         live.handle = Handle::draw(system_random());
         expect_answer<Done>(lab.store().commit(key, record.version, live, Lab::soon()), "a commit was not done");
         const auto found = lab.store().subjects()->find_by_subject("ada", Lab::soon());
         expect(found.size() == 1 && found[0].record == live, "a subject finds another record than was committed");
       }},
      {"ASubjectDoesNotFindWhatHasExpired", Need::subjects,
       [](Lab& lab) {
         auto record = lab.new_record();
         record.subject = "ada";
         lab.put(lab.key_for("ada"), record);
         lab.pass(10);
         expect(lab.store().subjects()->find_by_subject("ada", Lab::soon()).empty(), "a subject finds an expired session");
       }},
      {"NobodyHasNoSessions", Need::subjects,
       [](Lab& lab) {
         lab.put(Lab::new_key());
         expect(lab.store().subjects()->find_by_subject("", Lab::soon()).empty(), "the empty subject has sessions");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
