// Epochs and caps: what a create is admitted by.
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "lab.hpp"

namespace sancho::conformance {

namespace {

Record session_of(Lab& lab, const std::string& subject, State state = State::live) {
  auto record = lab.new_record(state);
  record.subject = subject;
  record.handle = Handle::draw(system_random());
  return record;
}

Record lasting_session_of(Lab& lab, const std::string& subject) {
  auto record = lab.new_lasting_record();
  record.subject = subject;
  return record;
}

EpochsSeen seen(Lab& lab, std::string_view subject) { return lab.store().epochs()->epochs(subject, Lab::soon()); }

void change(Lab& lab, std::string_view subject, std::uint64_t epoch) {
  lab.store().epochs()->set_epoch(subject, epoch, lab.now() + lab.units(50), Lab::soon());
}

CreateAnswer admit(Lab& lab, const Record& record, const Admission& admission) {
  return lab.store().create(lab.key_for(record.subject), record, Lab::soon(), &admission);
}

// In one word.
std::string word(const CreateAnswer& answer) {
  if (const auto* refused = std::get_if<Refused>(&answer)) return refused->why == Refused::Why::revoked ? "revoked" : "at cap";
  return std::holds_alternative<Done>(answer) ? "done" : "taken";
}

void expect_word(const CreateAnswer& answer, const std::string& expected, const std::string& what) {
  expect(word(answer) == expected, what + ": expected " + expected + ", got " + word(answer));
}

std::size_t live(Lab& lab, std::string_view subject) {
  std::size_t n = 0;
  for (const auto& found : lab.store().subjects()->find_by_subject(subject, Lab::soon())) n += found.record.state == State::live;
  return n;
}

// Many log in at once, each in a store of its own if there are several.
void exactly_the_cap_is_admitted(Lab& lab, const std::function<SessionStore&(int)>& store_of) {
  constexpr std::uint32_t cap = 3;
  constexpr int players = 8, tries = 4;
  for (int round = 0; round < Lab::rounds(4); ++round) {
    const std::string subject = "crowd " + std::to_string(round);
    const auto begin = seen(lab, subject);
    std::atomic<int> done = 0, wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < players; ++i)
      threads.emplace_back([&, i] {
        try {
          for (int n = 0; n < tries; ++n) {
            const Admission admission{.seen = begin, .cap = cap};
            const auto record = lasting_session_of(lab, subject);
            const auto answer = word(store_of(i).create(lab.key_for(subject), record, Lab::soon(), &admission));
            done += answer == "done";
            wrong += answer != "done" && answer != "at cap";
          }
        } catch (const std::exception&) {
          ++wrong;
        }
      });
    for (auto& thread : threads) thread.join();
    expect(wrong == 0, "a login failed where another was admitted");
    expect(done == cap && live(lab, subject) == cap,
           "with a cap of 3 were admitted " + std::to_string(done) + ", and live are " + std::to_string(live(lab, subject)));
  }
}

// A create that was admitted before the epoch changed is found afterwards, and
// none is admitted any more.
void nothing_slips_past_an_epoch(Lab& lab, bool everyone) {
  for (int round = 0; round < Lab::rounds(10); ++round) {
    const std::string subject = "fugitive " + std::to_string(round);
    const auto begin = seen(lab, subject);
    std::atomic<bool> changed = false;
    std::atomic<int> late = 0, wrong = 0, under_way = 0;
    std::vector<std::vector<SessionKey>> made(3);
    std::vector<std::thread> threads;
    for (auto& mine : made)
      threads.emplace_back([&] {
        try {
          for (int n = 0; n < 1000; ++n) {
            const bool after = changed;
            const auto key = lab.key_for(subject);
            const Admission admission{.seen = begin};
            const auto answer = word(lab.store().create(key, lasting_session_of(lab, subject), Lab::soon(), &admission));
            if (n == 0) ++under_way;
            if (answer == "done") mine.push_back(key);
            late += after && answer != "revoked";
            if (after) return;
          }
        } catch (const std::exception&) {
          ++wrong;
        }
      });
    // An epoch that changes before anybody has begun is passed by nobody.
    while (under_way < 3 && wrong == 0) std::this_thread::yield();
    std::exception_ptr trouble;
    std::set<SessionKey> found;
    try {
      change(lab, everyone ? "" : subject, system_random().draw_u64() | 1);
      if (everyone && lab.store().scan()) {
        lab.store().scan()->walk([&](const KeyedRecord& each) { return found.insert(each.key), true; }, Lab::soon());
      } else {
        for (const auto& each : lab.store().subjects()->find_by_subject(subject, Lab::soon())) found.insert(each.key);
      }
    } catch (...) {
      trouble = std::current_exception();
    }
    changed = true;
    for (auto& thread : threads) thread.join();
    if (trouble) std::rethrow_exception(trouble);
    expect(wrong == 0, "a create failed");
    expect(late == 0, "a create was admitted under an epoch that had changed");
    for (const auto& mine : made)
      for (const auto& key : mine) {
        expect(found.contains(key), "a create under the old epoch happened, and who looked when it had changed did not find its record");
        lab.store().erase(key, std::nullopt, Lab::soon());
      }
  }
}

}  // namespace

std::span<const Fact> epoch_facts() {
  static const Fact facts[] = {
      {"AnEpochIsZeroUntilItIsChanged", Need::epochs,
       [](Lab& lab) {
         expect(seen(lab, "ada") == EpochsSeen{}, "an epoch that never changed is not zero");
         change(lab, "ada", 7);
         expect(seen(lab, "ada") == EpochsSeen{7, 0}, "an epoch is not what it was changed to");
         expect(seen(lab, "eve") == EpochsSeen{}, "another subject's epoch changed as well");
         change(lab, "", 0xfedcba9876543210);
         expect(seen(lab, "ada") == EpochsSeen{7, 0xfedcba9876543210}, "everyone's epoch is not what it was changed to");
         expect(seen(lab, "") == EpochsSeen{0, 0xfedcba9876543210}, "nobody's epochs are not everyone's alone");
         change(lab, "ada", 9);
         expect(seen(lab, "ada").subject == 9, "an epoch cannot be changed again");
       }},
      {"AnEpochIsKeptUntilItsTime", Need::epochs,
       [](Lab& lab) {
         for (const auto& [subject, epoch] : {std::pair{"ada", std::uint64_t{7}}, std::pair{"", std::uint64_t{8}}})
           lab.store().epochs()->set_epoch(subject, epoch, lab.now() + lab.units(20), Lab::soon());
         lab.pass(15);
         lab.store().sweep({}, Lab::soon());
         expect(seen(lab, "ada") == EpochsSeen{7, 8}, "an epoch was forgotten before its time");
       }},
      {"AnAdmissionUnderTheEpochsSeenIsDone", Need::epochs,
       [](Lab& lab) {
         expect_word(admit(lab, session_of(lab, "ada"), {.seen = seen(lab, "ada")}), "done", "before any epoch");
         change(lab, "ada", 7);
         change(lab, "", 8);
         const auto record = session_of(lab, "ada");
         const auto key = lab.key_for("ada");
         const Admission admission{.seen = seen(lab, "ada")};
         expect_word(lab.store().create(key, record, Lab::soon(), &admission), "done", "under the epochs of now");
         lab.expect_stored(key, record, "created with an admission");
       }},
      {"AnAdmissionUnderAnotherEpochIsRevoked", Need::epochs,
       [](Lab& lab) {
         const auto before = seen(lab, "ada");
         change(lab, "ada", 7);
         const auto key = lab.key_for("ada");
         const Admission late{.seen = before};
         expect_word(lab.store().create(key, session_of(lab, "ada"), Lab::soon(), &late), "revoked", "an epoch of before");
         lab.expect_absent(key, "a create that was refused happened nevertheless");
         expect_word(admit(lab, session_of(lab, "eve"), {.seen = before}), "done", "another subject's login");
         change(lab, "", 8);
         expect_word(admit(lab, session_of(lab, "eve"), {.seen = before}), "revoked", "everyone's epoch of before");
         expect_word(admit(lab, session_of(lab, "ada"), {.seen = {0, 8}}), "revoked", "a subject's epoch that is missing");
         expect_word(admit(lab, session_of(lab, "ada"), {.seen = {7, 8}}), "done", "both epochs of now");
       }},
      {"ACreateWithoutAdmissionKnowsNoEpochAndNoCap", Need::epochs,
       [](Lab& lab) {
         change(lab, "ada", 7);
         change(lab, "", 8);
         for (int i = 0; i < 3; ++i) lab.put(lab.key_for("ada"), session_of(lab, "ada"));
       }},
      {"TakenComesBeforeRevokedAndRevokedBeforeTheCap", Need::epochs,
       [](Lab& lab) {
         const auto record = session_of(lab, "ada");
         const auto key = lab.key_for("ada");
         lab.put(key, record);
         change(lab, "ada", 7);
         const Admission late{.seen = {}, .cap = 1};
         const auto taken = expect_answer<Taken>(lab.store().create(key, record, Lab::soon(), &late), "a key in use is not taken");
         expect(taken.current == record, "taken carries another record");
         expect_word(admit(lab, session_of(lab, "ada"), late), "revoked", "an old epoch at the cap");
         expect_word(admit(lab, session_of(lab, "ada"), {.seen = {7, 0}, .cap = 1}), "at cap", "the cap");
       }},
      {"TheCapCountsPendingAndLiveSessionsOfTheSubject", Need::epochs,
       [](Lab& lab) {
         for (const auto state : all_states) lab.put(lab.key_for("ada"), session_of(lab, "ada", state));
         for (int i = 0; i < 5; ++i) lab.put(lab.key_for("eve"), session_of(lab, "eve"));
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 2}), "at cap", "a pending and a live session, and a cap of 2");
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 3}), "done", "a pending and a live session, and a cap of 3");
         expect_word(admit(lab, session_of(lab, "ada", State::pending), {.cap = 3}), "at cap", "three sessions, and a cap of 3");
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 0}), "done", "no cap");
       }},
      {"TheCapCountsASessionOnceWhateverItsRecords", Need::epochs,
       [](Lab& lab) {
         auto old = session_of(lab, "ada");
         lab.put(lab.key_for("ada"), old);
         auto next = session_of(lab, "ada", State::pending);
         next.handle = old.handle;
         expect_word(admit(lab, next, {.cap = 1}), "done", "another record of the same session");
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 2}), "done", "a second session beside one of two records");
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 2}), "at cap", "a third");
       }},
      {"WhatHasEndedOrExpiredMakesRoom", Need::epochs,
       [](Lab& lab) {
         const auto record = session_of(lab, "ada");
         const auto key = lab.key_for("ada");
         lab.put(key, record);
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 1}), "at cap", "one session and a cap of 1");
         auto ended = Lab::next(record);
         ended.state = State::ended;
         expect_answer<Done>(lab.store().commit(key, record.version, ended, Lab::soon()), "a commit was not done");
         const auto second = lab.key_for("ada");
         const Admission one{.cap = 1};
         expect_word(lab.store().create(second, session_of(lab, "ada"), Lab::soon(), &one), "done", "after one has ended");
         lab.store().erase(second, std::nullopt, Lab::soon());
         expect_word(admit(lab, session_of(lab, "ada"), one), "done", "after one was erased");
         lab.pass(10);
         expect_word(admit(lab, session_of(lab, "ada"), one), "done", "after one has expired");
       }},
      {"ASessionThatIsTouchedKeepsItsPlace", Need::epochs,
       [](Lab& lab) {
         const auto record = session_of(lab, "ada");
         const auto key = lab.key_for("ada");
         lab.put(key, record);
         lab.pass(8);
         expect_answer<Done>(lab.store().touch(key, record.version.incarnation, lab.now(), Lab::soon()), "a touch was not done");
         lab.pass(5);
         lab.store().sweep({}, Lab::soon());
         expect_word(admit(lab, session_of(lab, "ada"), {.cap = 1}), "at cap", "a session that was touched meanwhile");
         expect(lab.store().subjects()->find_by_subject("ada", Lab::soon()).size() == 1, "a session that was touched is not found any more");
       }},
      {"AnAdmissionOfNobodyIsRefused", Need::epochs,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const Admission admission{};
         bool refused = false;
         try {
           lab.store().create(key, lab.new_record(), Lab::soon(), &admission);
         } catch (const StoreError& e) {
           refused = e.kind() == Trouble::refused && !e.maybe_done();
         }
         expect(refused, "an admission for a record without a subject was not refused");
         lab.expect_absent(key, "a create that was refused happened nevertheless");
       }},
      {"TheCapIsExact", Need::epochs,
       [](Lab& lab) { exactly_the_cap_is_admitted(lab, [&](int) -> SessionStore& { return lab.store(); }); }},
      {"TheCapIsExactAcrossHandles", Need::epochs,
       [](Lab& lab) {
         if (!lab.store().traits().multiprocess_safe) throw NotApplicable("the store has no second handle: it is not multiprocess safe");
         const auto another = lab.open_another();
         exactly_the_cap_is_admitted(lab, [&](int i) -> SessionStore& { return i % 2 ? *another : lab.store(); });
       }},
      {"NothingSlipsPastASubjectsEpoch", Need::epochs, [](Lab& lab) { nothing_slips_past_an_epoch(lab, false); }},
      {"NothingSlipsPastEveryonesEpoch", Need::epochs, [](Lab& lab) { nothing_slips_past_an_epoch(lab, true); }},
  };
  return facts;
}

}  // namespace sancho::conformance
