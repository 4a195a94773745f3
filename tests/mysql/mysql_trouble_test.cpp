// A server that is frozen, killed, busy or gone: trouble has a kind, comes in
// time, and no acknowledged write is lost.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "../support/skip.hpp"
#include "mysql_fixture.hpp"

namespace sancho::mysql_test {
namespace {

using Steady = Deadline::Steady;

class MysqlTrouble : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = options_from("SANCHO_TEST_MYSQL");
    if (!found) SANCHO_SKIP("SANCHO_TEST_MYSQL is not set");
    place.emplace(*found);
    store = place->open();
  }
  // Expects trouble by the deadline and a little.
  template <class Act>
  void expect_late(Act act, bool maybe_done, const char* what) {
    bool maybe = !maybe_done;
    const auto begin = Steady::now();
    EXPECT_EQ(trouble_of([&] { act(Deadline::after(300ms)); }, nullptr, &maybe), Trouble::unavailable) << what;
    EXPECT_LE(Steady::now() - begin, 400ms) << what;
    EXPECT_EQ(maybe, maybe_done) << what;
  }
  std::optional<Namespace> place;
  std::unique_ptr<SessionStore> store;
};

TEST_F(MysqlTrouble, AFrozenServerHoldsNobodyUpBeyondTheDeadline) {
  auto record = record_of();
  record.subject = "ada";
  store->create(key_of("a"), record, soon());
  {
    Process server(place->options());
    server.freeze();
    expect_late([&](Deadline d) { store->load(key_of("a"), d); }, false, "load, on a connection that was there");
    expect_late([&](Deadline d) { store->load(key_of("a"), d); }, false, "load, on a new connection");
    expect_late([&](Deadline d) { store->epochs()->epochs("ada", d); }, false, "epochs");
    expect_late([&](Deadline d) { store->scan()->count(d); }, false, "count");
  }
  EXPECT_TRUE(store->load(key_of("a"), soon()));
  {
    Process server(place->options());
    server.freeze();
    expect_late([&](Deadline d) { store->commit(key_of("a"), {7, 1}, record, d); }, true, "a commit that was sent");
    expect_late(
        [&](Deadline d) {
          store->commit(key_of("a"), {7, 1}, record, d);
        },
        false, "a commit that found no connection");
  }
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, "payload");
}

TEST_F(MysqlTrouble, AnAdmissionThatWasGivenUpBeforeItsCommitWasNotDone) {
  auto record = record_of();
  record.subject = "ada";
  const Admission admission{.cap = 1};
  store->create(key_of("a"), record, soon(), &admission);
  Process server(place->options());
  server.freeze();
  expect_late([&](Deadline d) { store->create(key_of("b"), record, d, &admission); }, false, "an admitted create");
  server.thaw();
  EXPECT_FALSE(store->load(key_of("b"), soon()));
}

TEST_F(MysqlTrouble, AWriterWaitsForAForeignLockUntilItsDeadlineAndHasDoneNothing) {
  store->create(key_of("a"), record_of(), soon());
  Raw raw(place->options());
  raw.run("START TRANSACTION");
  raw.run("UPDATE " + place->table("sessions") + " SET due=due+1");
  expect_late([&](Deadline d) { store->commit(key_of("a"), {7, 1}, record_of("x", 2), d); }, false, "a commit");
  expect_late([&](Deadline d) { store->touch(key_of("a"), 7, system_clock().now() + 1min, d); }, false, "a touch");
  EXPECT_TRUE(store->load(key_of("a"), Deadline::after(1s))) << "readers wait for nobody";
  EXPECT_EQ(store->sweep({}, Deadline::after(1s)).removed, 0u) << "and the sweep neither";
  raw.run("ROLLBACK");
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, "payload");
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record_of("x", 2), soon())));
}

TEST_F(MysqlTrouble, AnExpiredRecordIsNotRevivedByAWriterThatWaited) {
  auto brief = record_of();
  brief.idle = 1min;
  store->create(key_of("a"), brief, soon());
  Raw raw(place->options());
  raw.run("START TRANSACTION");
  raw.run("UPDATE " + place->table("sessions") + " SET due=due+1");
  std::thread writer([&] {
    auto next = brief;
    next.version.counter = 2;
    next.accessed += 1h;
    EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key_of("a"), {7, 1}, next, soon())));
  });
  ASSERT_TRUE(eventually([&] {
    return raw.ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%UPDATE " +
                   place->table("sessions") + " SET inc%' AND ID<>CONNECTION_ID()") == "1";
  }));
  // What the waiting statement reads of the clock it reads when it has the lock.
  raw.run("UPDATE " + place->table("sessions") + " SET accessed=accessed-3600000");
  raw.run("COMMIT");
  writer.join();
}

// Between seeing that the key's record has expired and replacing it another may
// put one there, or a sweep take it away.
TEST_F(MysqlTrouble, AnAdmittedCreateOverAnExpiredRecordSaysWhatBecameOfIt) {
  Raw raw(place->options());
  const auto meanwhile = [&](const std::string& statement) {
    auto expired = record_of();
    expired.subject = "ada";
    expired.idle = 0ms;
    store->create(key_of("a"), expired, soon());
    raw.run("START TRANSACTION");
    raw.run(statement);
    std::optional<CreateAnswer> answer;
    std::thread login([&] {
      auto record = record_of("mine", 5);
      record.subject = "ada";
      const Admission admission{.seen = {}, .cap = 3};
      answer = store->create(key_of("a"), record, soon(), &admission);
    });
    EXPECT_TRUE(eventually([&] {
      return raw.ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%UPDATE " +
                     place->table("sessions") + " SET who%' AND ID<>CONNECTION_ID()") == "1";
    }));
    raw.run("COMMIT");
    login.join();
    return *answer;
  };
  const auto taken = meanwhile("UPDATE " + place->table("sessions") + " SET idle=3600000, n=99");
  ASSERT_TRUE(std::holds_alternative<Taken>(taken)) << "it says that it is there, and another is";
  EXPECT_EQ(std::get<Taken>(taken).current.version.counter, 99u);
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("a"), {}, soon())));
  EXPECT_TRUE(std::holds_alternative<Done>(meanwhile("DELETE FROM " + place->table("sessions"))));
  const auto there = store->load(key_of("a"), soon());
  ASSERT_TRUE(there) << "it says that it is there, and nothing is";
  EXPECT_EQ(there->payload, "mine");
}

TEST_F(MysqlTrouble, AnAdmittedCreateOfTheVeryRecordThatHasExpiredIsDone) {
  auto expired = record_of();
  expired.subject = "ada";
  expired.idle = 0ms;
  const Admission admission{.seen = {}, .cap = 3};
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), expired, soon(), &admission)));
}

TEST_F(MysqlTrouble, ADeadlineThatHasPassedDoesNothing) {
  const auto past = Deadline::after(0ms);
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record_of(), past); }), Trouble::unavailable);
  EXPECT_FALSE(store->load(key_of("a"), soon()));
}

TEST_F(MysqlTrouble, ConnectionsThatTheServerClosedAreReplacedUnnoticed) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { store->create(key_of(std::to_string(i)), record_of(), soon()); });
  for (auto& t : threads) t.join();
  const Process server(place->options());
  server.administer("KILL USER " + place->options().user);
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(
        std::holds_alternative<Done>(store->commit(key_of(std::to_string(i)), {7, 1}, record_of("x", 2), soon())));
}

TEST_F(MysqlTrouble, ThereAreNeverMoreConnectionsThanAllowed) {
  auto few = place->options();
  few.connections = 2;
  const auto store_of_two = place->open(few);
  store_of_two->create(key_of("a"), record_of(), soon());
  Raw raw(place->options());
  raw.run("START TRANSACTION");
  raw.run("UPDATE " + place->table("sessions") + " SET due=due+1");
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i)
    busy.emplace_back([&] {
      trouble_of([&] { store_of_two->commit(key_of("a"), {7, 1}, record_of("x", 2), Deadline::after(2s)); });
    });
  ASSERT_TRUE(eventually([&] {
    return raw.ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%UPDATE " +
                   place->table("sessions") + " SET inc%' AND ID<>CONNECTION_ID()") == "2";
  }));
  std::string message;
  const auto begin = Steady::now();
  EXPECT_EQ(trouble_of([&] { store_of_two->load(key_of("a"), Deadline::after(200ms)); }, &message),
            Trouble::unavailable);
  EXPECT_LE(Steady::now() - begin, 300ms);
  EXPECT_NE(message.find("all 2 connections were busy"), std::string::npos) << message;
  raw.run("ROLLBACK");
  for (auto& t : busy) t.join();
  EXPECT_TRUE(store_of_two->load(key_of("a"), soon()));
}

// Four writers, each on its record; the server is killed and comes back.
TEST_F(MysqlTrouble, NoAcknowledgedWriteIsLostWhenTheServerIsKilled) {
  constexpr int writers = 4;
  std::atomic<bool> stop = false;
  std::atomic<int> after_restart = 0;
  std::atomic<bool> restarted = false;
  std::vector<std::uint64_t> acknowledged(writers), possible(writers);
  for (int i = 0; i < writers; ++i) store->create(key_of(std::to_string(i)), record_of("", 0), soon());
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&, i] {
      const auto key = key_of(std::to_string(i));
      auto& n = acknowledged[static_cast<std::size_t>(i)];
      auto& most = possible[static_cast<std::size_t>(i)];
      while (!stop) {
        try {
          most = n + 1;
          const auto answer = store->commit(key, {7, n}, record_of(std::to_string(n + 1), n + 1), Deadline::after(2s));
          if (std::holds_alternative<Done>(answer)) {
            ++n;
            after_restart += restarted;
          } else if (const auto* conflict = std::get_if<Conflict>(&answer)) {
            // The answer to the one before was lost.
            EXPECT_EQ(conflict->current.version.counter, n + 1);
            n = conflict->current.version.counter;
          } else {
            ADD_FAILURE() << "gone";
          }
        } catch (const StoreError& e) {
          EXPECT_EQ(e.kind(), Trouble::unavailable) << e.what();
          if (!e.maybe_done()) most = n;
        }
      }
    });
  Process server(place->options());
  for (int round = 0; round < 2; ++round) {
    const auto before = acknowledged[0];
    EXPECT_TRUE(eventually([&] { return acknowledged[0] > before + 20; }));
    server.kill();
    server.start();
  }
  restarted = true;
  EXPECT_TRUE(eventually([&] { return after_restart > 20; }));
  stop = true;
  for (auto& t : threads) t.join();
  for (std::size_t i = 0; i < writers; ++i) {
    const auto found = store->load(key_of(std::to_string(i)), soon());
    ASSERT_TRUE(found);
    EXPECT_GE(found->version.counter, acknowledged[i]);
    EXPECT_LE(found->version.counter, std::max(acknowledged[i], possible[i]));
    EXPECT_EQ(found->payload, std::to_string(found->version.counter));
  }
}

TEST_F(MysqlTrouble, AChildNeitherUsesNorHarmsItsParentsStore) {
  store->create(key_of("a"), record_of(), soon());
  const auto child = fork();
  if (child == 0) {
    if (trouble_of([&] { store->load(key_of("a"), soon()); }) != Trouble::refused) _exit(11);
    store.reset();
    if (!place->open()->load(key_of("a"), soon())) _exit(12);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record_of("x", 2), soon())));
}

}  // namespace
}  // namespace sancho::mysql_test
