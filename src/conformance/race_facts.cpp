#include <algorithm>
#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <thread>

#include "lab.hpp"

namespace sancho::conformance {

namespace {
constexpr int crew = 4;

// Runs `work` in several threads at once; what one of them throws is thrown here.
void together(const std::function<void(int)>& work, int threads = crew) {
  std::mutex mutex;
  std::exception_ptr trouble;
  {
    std::vector<std::jthread> team;
    for (int i = 0; i < threads; ++i)
      team.emplace_back([&, i] {
        try {
          work(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          trouble = std::current_exception();
        }
      });
  }
  if (trouble) std::rethrow_exception(trouble);
}

// Every thread adds one to the record's payload so often, by compare and
// commit. The sum tells whether an update was lost or done twice; every
// version has one writer.
void increments_add_up(Lab& lab, const std::function<SessionStore&(int)>& handle) {
  const int each = Lab::rounds(25);
  const auto key = Lab::new_key();
  auto first = lab.new_lasting_record();
  first.payload = "0";
  lab.put(key, first);
  together([&](int i) {
    auto& store = handle(i);
    for (int done = 0; done < each;) {
      auto record = store.load(key, Lab::soon());
      expect(record.has_value(), "a record vanished during commits");
      const auto expected = record->version;
      ++record->version.counter;
      record->payload = std::to_string(std::stoi(record->payload) + 1);
      const auto answer = store.commit(key, expected, *record, Lab::soon());
      expect(!std::holds_alternative<Gone>(answer), "a record vanished during commits");
      done += std::holds_alternative<Done>(answer);
    }
  });
  const auto last = lab.stored(key);
  const auto sum = std::to_string(crew * each);
  expect(last.payload == sum, sum + " increments gave " + last.payload);
  expect(last.version.counter == first.version.counter + static_cast<std::uint64_t>(crew * each), "two commits of one version were done");
}

// All threads create the same keys; each key must have one winner, and hold
// what the winner wrote.
void creators_win_once(Lab& lab, const std::function<SessionStore&(int)>& handle) {
  const int keys = Lab::rounds(25);
  std::vector<SessionKey> key;
  for (int i = 0; i < keys; ++i) key.push_back(Lab::new_key());
  std::vector<std::atomic<int>> winners(static_cast<std::size_t>(keys)), winner(static_cast<std::size_t>(keys));
  std::barrier start(crew);
  together([&](int i) {
    auto record = lab.new_lasting_record();
    record.payload = std::to_string(i);
    try {
      for (std::size_t k = 0; k < key.size(); ++k) {
        start.arrive_and_wait();  // for every key anew, so that they meet
        if (!std::holds_alternative<Done>(handle(i).create(key[k], record, Lab::soon()))) continue;
        ++winners[k];
        winner[k] = i;
      }
    } catch (...) {
      start.arrive_and_drop();  // nobody waits for one who failed
      throw;
    }
  });
  for (std::size_t k = 0; k < key.size(); ++k) {
    expect(winners[k] == 1, "a key was created by " + std::to_string(winners[k]) + " at once");
    expect(lab.stored(key[k]).payload == std::to_string(winner[k]), "a key holds another record than its creator's");
  }
}
}  // namespace

std::span<const Fact> race_facts() {
  static const Fact facts[] = {
      {"OneCommitWinsEachVersion", Need::threads,
       [](Lab& lab) { increments_add_up(lab, [&](int) -> SessionStore& { return lab.store(); }); }},
      {"OneCreateWins", Need::threads, [](Lab& lab) { creators_win_once(lab, [&](int) -> SessionStore& { return lab.store(); }); }},
      {"OneCommitWinsEachVersionAcrossHandles", Need::second_handle,
       [](Lab& lab) {
         std::vector<std::unique_ptr<SessionStore>> handles;
         for (int i = 0; i < crew; ++i) handles.push_back(lab.open_another());
         increments_add_up(lab, [&](int i) -> SessionStore& { return *handles[static_cast<std::size_t>(i)]; });
       }},
      {"OneCreateWinsAcrossHandles", Need::second_handle,
       [](Lab& lab) {
         std::vector<std::unique_ptr<SessionStore>> handles;
         for (int i = 0; i < crew; ++i) handles.push_back(lab.open_another());
         creators_win_once(lab, [&](int i) -> SessionStore& { return *handles[static_cast<std::size_t>(i)]; });
       }},
      {"ATouchNeverUndoesACommit", Need::threads,
       [](Lab& lab) {
         // One logs out while the others touch: whatever the order, it stays ended.
         for (int round = 0; round < Lab::rounds(15); ++round) {
           const auto key = Lab::new_key();
           const auto live = lab.put(key, lab.new_lasting_record());
           auto ended = Lab::next(live);
           ended.state = State::ended;
           std::barrier start(crew);
           together([&](int i) {
             start.arrive_and_wait();
             if (i == 0)
               expect_answer<Done>(lab.store().commit(key, live.version, ended, Lab::soon()), "a touch was in the way of a commit");
             else
               for (int n = 1; n <= 5; ++n) lab.store().touch(key, live.version.incarnation, live.accessed + Duration{n}, Lab::soon());
           });
           const auto last = lab.stored(key);
           expect(last.state == State::ended && last.version == ended.version && last.payload == ended.payload, "a touch undid a logout");
         }
       }},
      {"SweepTestsAgainBeforeItRemoves", Need::threads,
       [](Lab& lab) {
         if (!lab.store().scan()) throw NotApplicable("the store has no scan");
         // A session that was touched before it went does not go. Several at
         // a time, and now one and now the other thread begins, since who is
         // last at the start is first away.
         for (int round = 0; round < Lab::rounds(10); ++round) {
           std::vector<SessionKey> keys;
           std::vector<Record> records;
           for (int i = 0; i < 8; ++i) records.push_back(lab.put(keys.emplace_back(Lab::new_key()), lab.new_lasting_record()));
           const auto moment = lab.now() + Duration{1};
           std::barrier start(2);
           std::vector<bool> touched(keys.size());
           const auto touch = [&](std::size_t k) {
             touched[k] = std::holds_alternative<Done>(lab.store().touch(keys[k], records[k].version.incarnation, moment, Lab::soon()));
           };
           together(
               [&](int i) {
                 start.arrive_and_wait();
                 if (i == round % 2) lab.store().sweep({.budget = 100, .accessed_before = moment}, Lab::soon());
                 else for (std::size_t k = 0; k < keys.size(); ++k) touch(k);
               },
               2);
           for (std::size_t k = 0; k < keys.size(); ++k) {
             expect(lab.store().load(keys[k], Lab::soon()).has_value() == touched[k],
                    touched[k] ? "sweep removed a session that had been touched" : "a touch of a session was refused that sweep did not remove");
             lab.store().erase(keys[k], std::nullopt, Lab::soon());
           }
         }
       }},
      {"ASessionIsInEveryListWhileOneRecordTakesOverFromAnother", Need::threads,
       [](Lab& lab) {
         if (!lab.store().subjects()) throw NotApplicable("the store has no subject index");
         // As a login does it, and by turns as a rotation does: at each moment
         // one of the two records may open the session. Others list meanwhile.
         const auto another = lab.store().traits().multiprocess_safe ? lab.open_another() : nullptr;
         auto key = lab.key_for("ada");
         auto record = lab.new_lasting_record();
         record.subject = "ada";
         lab.put(key, record);
         const auto change = [&](const SessionKey& at, Record& from, State state) {
           auto to = Lab::next(from);
           to.state = state;
           expect_answer<Done>(lab.store().commit(at, from.version, to, Lab::soon()), "the only writer's commit was not done");
           from = std::move(to);
         };
         for (int round = 0; round < Lab::rounds(25); ++round) {
           const auto successor = lab.key_for("ada");
           auto heir = lab.new_lasting_record(State::pending);
           heir.subject = "ada";
           heir.handle = record.handle;
           const auto handle = heir.handle;  // the records are the writer's
           std::barrier start(3);
           together(
               [&](int i) {
                 start.arrive_and_wait();
                 if (i == 0) {
                   lab.put(successor, heir);
                   if (round % 2) change(key, record, State::moved);
                   else change(key, record, State::ended);
                   change(successor, heir, State::live);
                   if (round % 2) change(key, record, State::ended);
                   return;
                 }
                 auto& store = i == 1 && another ? *another : lab.store();
                 for (int n = 0; n < 3; ++n) {
                   const auto found = store.subjects()->find_by_subject("ada", Lab::soon());
                   expect(std::any_of(found.begin(), found.end(), [&](const auto& each) { return each.record.handle == handle; }),
                          "a list of a user's sessions lacked one, while a record of it took over from another");
                 }
               },
               3);
           lab.store().erase(key, std::nullopt, Lab::soon());
           key = successor;
           record = heir;
         }
       }},
      {"AReaderNeverMissesARecordThatChanges", Need::threads,
       [](Lab& lab) {
         // The record goes through all states and sizes while it is read: a
         // reader finds one that was written, whole, and never an older one
         // than it found before.
         const auto key = Lab::new_key();
         auto record = lab.put(key, lab.new_lasting_record());
         std::atomic<bool> over = false;
         together(
             [&](int i) {
               if (i == 0) {
                 try {
                   for (int n = 0; n < Lab::rounds(60); ++n) {
                     const auto expected = record.version;
                     ++record.version.counter;
                     record.state = all_states[static_cast<std::size_t>(n) % std::size(all_states)];
                     record.payload.assign(n % 2 ? 10'000 : 10, static_cast<char>('a' + record.version.counter % 26));
                     expect_answer<Done>(lab.store().commit(key, expected, record, Lab::soon()), "the only writer's commit was not done");
                   }
                 } catch (...) {
                   over = true;
                   throw;
                 }
                 over = true;
                 return;
               }
               std::uint64_t before = 0;
               while (!over) {
                 const auto seen = lab.store().load(key, Lab::soon());
                 expect(seen.has_value(), "a reader missed a record that changed");
                 expect(seen->version.counter >= before, "a reader saw an older record after a newer one");
                 before = seen->version.counter;
                 if (before == 1) continue;
                 expect(seen->payload.find_first_not_of(static_cast<char>('a' + before % 26)) == std::string::npos, "a reader saw half a record");
               }
             },
             3);
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
