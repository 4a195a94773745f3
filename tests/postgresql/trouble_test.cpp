// A server that is frozen, restarted, killed, read-only, full, or that gives
// few rights. One of the test's own, because nobody else would like it.
#include <pwd.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <thread>

#include "fixture.hpp"
#include "server.hpp"

namespace sancho::postgresql_test {
namespace {

// Started once for all tests of this program.
Server& machine() {
  static Server server;
  return server;
}

class PostgresqlTroubleTest : public testing::Test {
 protected:
  std::unique_ptr<SessionStore> open(const std::string& option = "") {
    auto uri = with(machine().uri(), "namespace=" + name + "&synchronous_commit=on");
    return open_under_test(option.empty() ? uri : with(uri, option));
  }
  std::string table() const { return "sancho_" + name + "_sessions"; }

  std::string name = fresh_name();
};

TEST_F(PostgresqlTroubleTest, AFrozenServerHoldsNobodyBeyondTheDeadlineAndNothingPilesUp) {
  const auto store = open("pool=4");
  const auto record = record_of_now();
  for (int i = 0; i < 12; ++i)
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(std::to_string(i)), record, soon())));
  machine().freeze();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&, i] {
      const auto key = key_of(std::to_string(i));
      for (int n = 0; n < 3; ++n) {
        const auto begin = Deadline::Steady::now();
        const auto deadline = Deadline::after(200ms);
        bool maybe_done = false;
        const auto kind = trouble_of(
            [&] {
              if (i % 2)
                store->load(key, deadline);
              else
                store->touch(key, 7, record.accessed + 1s, deadline);
            },
            nullptr, &maybe_done);
        wrong += kind != Trouble::unavailable || (i % 2 && maybe_done) || Deadline::Steady::now() - begin > 2s;
      }
    });
  for (auto& thread : threads) thread.join();
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { open_under_test(machine().uri(), {.name_space = name, .open_timeout = 300ms}); }),
            Trouble::unavailable);
  EXPECT_LT(Deadline::Steady::now() - begin, 2s);
  machine().thaw();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(store->load(key_of("1"), soon()));
  // What was given up is not kept by the server either.
  const auto open_ones = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'sancho'";
  for (const auto until = soon(); std::stoi(machine().sql(open_ones)) > 4 && !until.passed();) {
  }
  EXPECT_LE(std::stoi(machine().sql(open_ones)), 4);
}

// One counter a thread, raised by commits. What was acknowledged is there in
// the end; what failed without a doubt never happened.
TEST_F(PostgresqlTroubleTest, ARestartUnderLoadIsUnavailableForAMomentAndForgetsNothing) {
  const auto store = open();
  std::atomic<bool> over = false;
  std::atomic<int> failures = 0, commits = 0;
  std::vector<std::thread> threads;
  const auto first = record_of_now();
  const auto counter = [](int i) { return key_of("counter " + std::to_string(i)); };
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(std::holds_alternative<Done>(store->create(counter(i), first, soon())));
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      const auto key = counter(i);
      auto record = first;
      bool in_doubt = false;
      while (!over) {
        auto next = record;
        ++next.version.counter;
        try {
          const auto answer = store->commit(key, record.version, next, Deadline::after(5s));
          if (std::holds_alternative<Done>(answer)) {
            ++commits;
            record = next;
          } else if (const auto* conflict = std::get_if<Conflict>(&answer)) {
            EXPECT_TRUE(in_doubt) << "a commit that had failed without a doubt was done";
            EXPECT_EQ(conflict->current.version, next.version);
            record = conflict->current;
          } else {
            ADD_FAILURE() << "a record is gone";
          }
          in_doubt = false;
        } catch (const StoreError& e) {
          ++failures;
          EXPECT_EQ(e.kind(), Trouble::unavailable) << e.what();
          in_doubt = in_doubt || e.maybe_done();
        }
      }
      const auto last = store->load(key, soon());
      ASSERT_TRUE(last);
      EXPECT_GE(last->version.counter, record.version.counter) << "an acknowledged commit was forgotten";
      EXPECT_LE(last->version.counter, record.version.counter + (in_doubt ? 1 : 0));
    });
  for (int round = 0; round < 4; ++round) {
    const int before = commits;
    for (const auto until = soon(); commits < before + 50 && !until.passed();) std::this_thread::yield();
    EXPECT_GE(commits, before + 50) << "after a restart the store does not go on";
    if (round % 2)
      machine().kill();
    else
      machine().stop();
    for (const int down = failures; failures == down;) std::this_thread::yield();
    machine().start();
  }
  over = true;
  for (auto& thread : threads) thread.join();
  EXPECT_GT(failures, 0);
}

TEST_F(PostgresqlTroubleTest, ARestartBetweenTwoCallsIsNotNoticed) {
  const auto store = open();
  const auto record = record_of_now();
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  machine().stop();
  machine().start();
  EXPECT_EQ(store->load(key_of("a"), soon()), record);
  machine().kill();
  machine().start();
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("a"), 7, record.accessed + 1s, soon())));
}

TEST_F(PostgresqlTroubleTest, AReadOnlyServerIsUnavailableUntilItTakesWrites) {
  const auto store = open();
  const auto record = record_of_now();
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  machine().sql("ALTER ROLE sancho SET default_transaction_read_only = on");
  machine().sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'sancho'");
  bool maybe_done = true;
  EXPECT_EQ(trouble_of([&] { store->touch(key_of("a"), 7, record.accessed + 1s, soon()); }, nullptr, &maybe_done),
            Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  machine().sql("ALTER ROLE sancho RESET default_transaction_read_only");
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("a"), 7, record.accessed + 1s, soon())));
}

// As after a failover: the old primary is still there, and the new one too.
TEST_F(PostgresqlTroubleTest, TheHostThatTakesWritesIsFound) {
  Server second;
  for (auto* each : {&machine(), &second}) {
    each->sql("CREATE ROLE pair LOGIN PASSWORD 'pair'");
    each->sql("GRANT ALL ON SCHEMA public TO pair");
  }
  const auto host_of = [](const std::string& uri) {
    return uri.substr(uri.find('@') + 1, uri.rfind('/') - uri.find('@') - 1);
  };
  const auto at = [&](const std::string& hosts) {
    return open_under_test("postgresql://pair:pair@" + hosts + "/sancho?namespace=" + name);
  };
  const auto on_second = at(host_of(second.uri()));
  const auto store = at(host_of(machine().uri()) + "," + host_of(second.uri()));
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("on the first"), record_of_now(), soon())));
  machine().sql("ALTER ROLE pair SET default_transaction_read_only = on");
  machine().sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'pair'");
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("on the second"), record_of_now(), soon())));
  EXPECT_TRUE(on_second->load(key_of("on the second"), soon()));
}

TEST_F(PostgresqlTroubleTest, ARoleWithTheRightsThatTheDocumentsListCanDoEverything) {
  open();
  const auto role = name + "_role";
  machine().sql("CREATE ROLE " + role + " LOGIN PASSWORD 'few'");
  const auto uri =
      with("postgresql://" + role + ":few" + machine().uri().substr(machine().uri().find('@')), "namespace=" + name);
  std::string message;
  EXPECT_EQ(trouble_of([&] { open_under_test(uri); }, &message), Trouble::refused) << "it may not even read";
  EXPECT_NE(message.find("rights"), std::string::npos) << message;
  const auto prefix = "sancho_" + name + "_";
  machine().sql("GRANT SELECT, INSERT, UPDATE, DELETE ON " + prefix + "sessions, " + prefix + "epochs TO " + role);
  machine().sql("GRANT SELECT ON " + prefix + "schema TO " + role);
  machine().sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  const auto store = open_under_test(uri);
  auto record = record_of_now();
  record.subject = "ada";
  auto next = record;
  ++next.version.counter;
  const Admission admission{.seen = {}, .cap = 5};
  store->setup();
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("b"), record, soon(), &admission)));
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("a"), 7, record.accessed + 1s, soon())));
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), record.version, next, soon())));
  EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 2u);
  EXPECT_EQ(store->scan()->count(soon()), 2u);
  store->epochs()->set_epoch("ada", 5, record.ends, soon());
  EXPECT_EQ(store->epochs()->epochs("ada", soon()).subject, 5u);
  EXPECT_EQ(store->sweep({.budget = 10, .accessed_before = record.accessed - 1h}, soon()).removed, 0u);
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("a"), {}, soon())));
  EXPECT_EQ(trouble_of([&] { open_under_test(with(uri.substr(0, uri.find('?')), "namespace=" + fresh_name())); }),
            Trouble::refused)
      << "it may make no tables";
  machine().sql("GRANT CREATE ON SCHEMA public TO PUBLIC");
}

// A role may have any settings. The cap is counted right under all of them.
TEST_F(PostgresqlTroubleTest, TheCapIsExactWhateverTheRolesIsolation) {
  for (const std::string level : {"repeatable read", "serializable"}) {
    machine().sql("ALTER ROLE sancho SET default_transaction_isolation = '" + level + "'");
    const auto store = open();
    constexpr int players = 8, rounds = 25;
    std::vector<std::atomic<int>> done(rounds);
    std::barrier start(players);
    std::vector<std::thread> threads;
    for (int i = 0; i < players; ++i)
      threads.emplace_back([&, i] {
        for (int round = 0; round < rounds; ++round) {
          auto record = record_of_now();
          record.subject = level + std::to_string(round);
          const Admission admission{.seen = {}, .cap = 3};
          const auto key = key_of(record.subject + " " + std::to_string(i));
          start.arrive_and_wait();
          try {
            done[static_cast<std::size_t>(round)] +=
                std::holds_alternative<Done>(store->create(key, record, soon(), &admission));
          } catch (const StoreError& e) {
            ADD_FAILURE() << e.what();
          }
        }
      });
    for (auto& thread : threads) thread.join();
    machine().sql("ALTER ROLE sancho RESET default_transaction_isolation");
    for (const auto& admitted : done) EXPECT_EQ(admitted, 3) << level;
  }
}

TEST_F(PostgresqlTroubleTest, WhoGivesUpWaitingForARowIsForgottenByTheServerToo) {
  const auto store = open();
  auto record = record_of_now();
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  Raw other(machine().uri());
  other.ask("BEGIN; SELECT * FROM " + table() + " FOR UPDATE");
  bool maybe_done = false;
  auto next = record;
  ++next.version.counter;
  EXPECT_EQ(trouble_of([&] { store->commit(key_of("a"), record.version, next, Deadline::after(200ms)); }, nullptr,
                       &maybe_done),
            Trouble::unavailable);
  EXPECT_TRUE(maybe_done);
  const auto waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  for (const auto until = soon(); machine().sql(waiting) != "0" && !until.passed();) {
  }
  EXPECT_EQ(machine().sql(waiting), "0");
  other.ask("COMMIT");
  EXPECT_EQ(store->load(key_of("a"), soon()), record);
}

// The server has been told to wait for a standby that is not there.
TEST_F(PostgresqlTroubleTest, SurvivingAFailoverIsClaimedOnlyWhereTheServerWaitsForAStandby) {
  const auto before = open();
  const auto record = record_of_now();
  ASSERT_TRUE(std::holds_alternative<Done>(before->create(key_of("a"), record, soon())));
  EXPECT_FALSE(before->traits().survives_failover);
  machine().sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  machine().sql("SELECT pg_reload_conf()");
  Raw watch(machine().uri());
  for (const auto until = soon(); watch.ask("SHOW synchronous_standby_names").empty() && !until.passed();) {
  }
  const auto waits = open(),
             local = open_under_test(with(machine().uri(), "namespace=" + name + "&synchronous_commit=local"));
  EXPECT_TRUE(waits->traits().survives_failover);
  EXPECT_FALSE(local->traits().survives_failover);
  bool maybe_done = false;
  EXPECT_EQ(trouble_of([&] { waits->touch(key_of("a"), 7, record.accessed + 1s, Deadline::after(300ms)); }, nullptr,
                       &maybe_done),
            Trouble::unavailable);
  EXPECT_TRUE(maybe_done) << "what no standby has is not acknowledged";
  EXPECT_TRUE(std::holds_alternative<Done>(local->create(key_of("b"), record, soon())));
  machine().sql("ALTER SYSTEM RESET synchronous_standby_names");
  machine().sql("SELECT pg_reload_conf()");
  EXPECT_TRUE(std::holds_alternative<Done>(waits->touch(key_of("a"), 7, record.accessed + 2s, soon())));
}

// What is set for a server, and in force.
void set(Server& server, const std::string& name, const std::string& value) {
  server.sql("ALTER SYSTEM SET " + name + " = '" + value + "'");
  server.sql("SELECT pg_reload_conf()");
  for (const auto until = soon(); server.sql("SHOW " + name) != value && !until.passed();) {
  }
}

constexpr const char* close_all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = ";

// The second takes over, and answers before anything is on its disk.
TEST_F(PostgresqlTroubleTest, AHostThatKeepsLessThanTheFirstIsNotUsed) {
  Server second;
  for (auto* each : {&machine(), &second}) {
    each->sql("CREATE ROLE twin LOGIN PASSWORD 'twin'");
    each->sql("GRANT ALL ON SCHEMA public TO twin");
  }
  const auto host_of = [](const std::string& uri) {
    return uri.substr(uri.find('@') + 1, uri.rfind('/') - uri.find('@') - 1);
  };
  const auto twin = [&](const std::string& hosts) {
    return open_under_test("postgresql://twin:twin@" + hosts + "/sancho?namespace=" + name);
  };
  machine().sql("ALTER ROLE twin SET synchronous_commit = 'on'");
  second.sql("ALTER ROLE twin SET synchronous_commit = 'off'");
  const auto on_second = twin(host_of(second.uri()));
  EXPECT_FALSE(on_second->traits().durable);
  const auto store = twin(host_of(machine().uri()) + "," + host_of(second.uri()));
  EXPECT_TRUE(store->traits().durable);
  machine().sql("ALTER ROLE twin SET default_transaction_read_only = on");
  machine().sql(close_all + std::string("'twin'"));
  std::string message;
  bool maybe_done = true;
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record_of_now(), soon()); }, &message, &maybe_done),
            Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  EXPECT_NE(message.find("set synchronous_commit to on"), std::string::npos) << message;
  EXPECT_TRUE(store->traits().durable);
  EXPECT_FALSE(on_second->load(key_of("a"), soon()));
  second.sql("ALTER ROLE twin SET synchronous_commit = 'on'");
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record_of_now(), soon())));
  EXPECT_TRUE(on_second->load(key_of("a"), soon()));
}

TEST_F(PostgresqlTroubleTest, AServerThatFlushesNoMoreIsNotUsed) {
  set(machine(), "fsync", "on");
  const auto store = open();
  EXPECT_TRUE(store->traits().power_safe);
  set(machine(), "fsync", "off");
  machine().sql(close_all + std::string("'sancho'"));
  std::string message;
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("set fsync to on"), std::string::npos) << message;
  EXPECT_FALSE(open()->traits().power_safe) << "who opens it now is promised no more than there is";
  set(machine(), "fsync", "on");
  EXPECT_FALSE(store->load(key_of("a"), soon()));
  set(machine(), "fsync", "off");
}

TEST_F(PostgresqlTroubleTest, WhoRequiresAStandbyHasOneOrNothing) {
  open();  // makes the tables: with a standby that is not there nobody could
  const auto strict = [&] { return open("standby=required"); };
  std::string message;
  EXPECT_EQ(trouble_of([&] { strict(); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("synchronous_standby_names"), std::string::npos) << message;
  set(machine(), "synchronous_standby_names", "nobody");
  const auto store = strict(), content = open();
  EXPECT_TRUE(store->traits().survives_failover && content->traits().survives_failover);
  set(machine(), "synchronous_standby_names", "");
  machine().sql(close_all + std::string("'sancho'"));
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable);
  EXPECT_FALSE(content->load(key_of("a"), soon()));
  EXPECT_FALSE(content->traits().survives_failover);
}

TEST_F(PostgresqlTroubleTest, TooManyConnectionsAreUnavailable) {
  const auto store = open();
  machine().sql("ALTER ROLE sancho CONNECTION LIMIT 1");
  std::string message;
  EXPECT_EQ(trouble_of([&] { open(); }, &message), Trouble::unavailable);
  machine().sql("ALTER ROLE sancho CONNECTION LIMIT -1");
  EXPECT_NE(message.find("53300"), std::string::npos) << message;
  EXPECT_NE(message.find("max_connections"), std::string::npos) << message;
  EXPECT_FALSE(store->load(key_of("a"), soon())) << "who was there goes on";
}

// The tables lie on a file system of a few megabytes.
TEST_F(PostgresqlTroubleTest, AFullFileSystemIsFullAndNothingIsHalfWritten) {
  std::string pattern = std::filesystem::temp_directory_path() / "sancho-postgresql-XXXXXX";
  const std::filesystem::path directory = mkdtemp(pattern.data());
  const auto* owner = getpwnam("postgres");
  const auto options = "size=6m,mode=0700" + (owner ? ",uid=" + std::to_string(owner->pw_uid) : "");
  const bool mounted = mount("tmpfs", directory.c_str(), "tmpfs", 0, options.c_str()) == 0;
  if (!mounted) {
    std::filesystem::remove_all(directory);
    SANCHO_SKIP("mounting is not permitted");
  }
  {
    Server small;
    small.sql("CREATE TABLESPACE small LOCATION '" + directory.string() + "'");
    small.sql("GRANT CREATE ON TABLESPACE small TO sancho");
    small.sql("ALTER ROLE sancho SET default_tablespace = small");
    const auto store = open_under_test(with(small.uri(), "namespace=" + name));
    const auto record = record_of_now(std::string(4000, 'x'));
    int kept = 0;
    std::optional<Trouble> trouble;
    bool maybe_done = true;
    for (; kept < 5000 && !trouble; kept += !trouble)
      trouble = trouble_of([&] { store->create(key_of(std::to_string(kept)), record, soon()); }, nullptr, &maybe_done);
    EXPECT_EQ(trouble, Trouble::full);
    EXPECT_FALSE(maybe_done);
    EXPECT_GT(kept, 100);
    EXPECT_FALSE(store->load(key_of(std::to_string(kept)), soon()));
    EXPECT_EQ(store->load(key_of(std::to_string(kept - 1)), soon()), record);
    // Logging out goes on, in the room that pages keep for it.
    int ended = 0;
    for (int i = 0; i < 50; ++i) {
      auto tombstone = record;
      ++tombstone.version.counter;
      tombstone.state = State::ended;
      tombstone.payload = "ended";
      tombstone.ends = record.created + 10min;
      try {
        ended +=
            std::holds_alternative<Done>(store->commit(key_of(std::to_string(i)), record.version, tombstone, soon()));
      } catch (const StoreError& e) {
        EXPECT_EQ(e.kind(), Trouble::full) << e.what();
      }
    }
    EXPECT_EQ(ended, 50);
    EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("60"), {}, soon())));
  }
  umount2(directory.c_str(), MNT_DETACH);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sancho::postgresql_test
