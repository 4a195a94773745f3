// What is particular to this engine: bytes and damage, what a touch costs, what
// several do at the same moment.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "../support/rounds.hpp"
#include "fixture.hpp"

namespace sancho::postgresql_test {
namespace {

class PostgresqlVerbsTest : public PostgresqlTest {};

TEST_F(PostgresqlVerbsTest, AnyByteComesBackFromAnywhere) {
  const auto store = open();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const auto& text :
       {bytes, std::string("'; DROP TABLE sancho_sessions; --"), std::string("\\x00"), std::string(10'000, '\0')}) {
    auto record = record_of_now(text);
    record.subject = text;
    record.version = {~std::uint64_t{0}, std::uint64_t{1} << 63};
    const auto key = SessionKey::of_note("bytes", text);
    put(*store, key, record);
    EXPECT_EQ(store->load(key, soon()), record);
    const auto found = store->subjects()->find_by_subject(text, soon());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].record, record);
    store->epochs()->set_epoch(text, ~std::uint64_t{0}, system_clock().now() + 1h, soon());
    EXPECT_EQ(store->epochs()->epochs(text, soon()).subject, ~std::uint64_t{0});
    EXPECT_EQ(std::get<Removed>(store->erase(key, record.version, soon())).last, record);
  }
}

TEST_F(PostgresqlVerbsTest, ALargePayloadIsKeptAndATooLargeOneRefused) {
  const auto store = open();
  auto record = record_of_now(std::string(std::size_t{20} << 20, 'x'));
  put(*store, key_of("large"), record);
  EXPECT_EQ(store->load(key_of("large"), soon()), record);
  record.payload.resize(std::size_t{300} << 20);
  bool maybe_done = true;
  EXPECT_EQ(trouble_of([&] { store->create(key_of("huge"), record, soon()); }, nullptr, &maybe_done), Trouble::refused);
  EXPECT_FALSE(maybe_done);
}

TEST_F(PostgresqlVerbsTest, ADamagedRowIsCorruptAndStays) {
  const auto store = open();
  const char* damages[] = {"payload = payload || 'x'::bytea",
                           "subject = 'eve'",
                           "n = n + 1",
                           "state = 9",
                           "handle = 'no handle'",
                           "created = created + 1",
                           "idle = idle + 1",
                           "ends = ends + 1",
                           "accessed = 9223372036854775807",
                           "checksum = ''::bytea"};
  for (const std::string damage : damages) {
    const auto key = key_of(damage);
    auto record = record_of_now();
    record.subject = "ada";
    put(*store, key, record);
    place->ask("UPDATE sancho_sessions SET " + damage + " WHERE key = " + hex_of(key));
    EXPECT_EQ(trouble_of([&] { store->load(key, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->create(key, record, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->erase(key, {}, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(place->ask("SELECT count(*) FROM sancho_sessions WHERE key = " + hex_of(key)), "1") << damage;
  }
  store->scan()->walk([](const KeyedRecord&) { return ADD_FAILURE() << "a walk shows a damaged record", true; },
                      soon());
  EXPECT_TRUE(store->subjects()->find_by_subject("ada", soon()).empty());
}

TEST_F(PostgresqlVerbsTest, NoDamagedRowStopsASweepAndNoneIsSwept) {
  const auto store = open();
  auto record = record_of_now();
  record.ends = record.created - 1s;
  for (int i = 0; i < 20; ++i) put(*store, key_of(std::to_string(i)), record);
  const char* damages[] = {"payload = 'x'",
                           "accessed = 9223372036854775807, idle = 9223372036854775807, ends = 9223372036854775807",
                           "accessed = -9223372036854775808, idle = -9223372036854775808",
                           "handle = E'\\\\x'",
                           "state = -1",
                           "key = ''"};
  int i = 0;
  for (const std::string damage : damages)
    place->ask("UPDATE sancho_sessions SET " + damage + " WHERE key = " + hex_of(key_of(std::to_string(i++))));
  std::size_t removed = 0;
  for (bool more = true; more;) {
    const auto swept = store->sweep({.budget = 3, .accessed_before = {}}, soon());
    removed += swept.removed;
    more = swept.more;
  }
  EXPECT_EQ(removed, 15u) << "the key is none of the record's, the rest is";
  EXPECT_EQ(place->ask("SELECT count(*) FROM sancho_sessions"), "5");
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
}

TEST_F(PostgresqlVerbsTest, TouchesAndMostCommitsChangeNoIndex) {
  const auto store = open();
  auto record = record_of_now(std::string(600, 'p'));
  record.subject = "ada";
  put(*store, key_of("a"), record);
  place->ask("ANALYZE sancho_sessions");  // of a table so small, it would rather read all
  constexpr int rounds = 200;
  const auto scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'sancho_sessions' AND schemaname = '" +
                     place->schema() + "'";
  for (int i = 1; i <= rounds; ++i) {
    ASSERT_TRUE(std::holds_alternative<Done>(store->touch(key_of("a"), 7, record.accessed + Duration{i}, soon())));
    const auto expected = record.version;
    ++record.version.counter;
    ASSERT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), expected, record, soon())));
  }
  // The server counts when a session ends, and not at once.
  const auto tables =
      "SELECT n_tup_upd || ' ' || n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sancho_sessions' AND "
      "schemaname = '" +
      place->schema() + "'";
  int updates = 0, hot = 0;
  for (const auto until = soon(); updates < 2 * rounds && !until.passed();) {
    store->load(key_of("a"), soon());
    Raw raw(place->uri());
    std::sscanf(raw.ask(tables).c_str(), "%d %d", &updates, &hot);
    raw.ask("SELECT pg_sleep(0.05)");
  }
  EXPECT_EQ(updates, 2 * rounds);
  EXPECT_GT(hot, updates * 95 / 100);
  EXPECT_LT(std::stoi(place->ask(scans)), 10)
      << "the whole table is read when its indexes are made, and never for a record";
  RecordProperty("hot", hot);
}

// A statement sees a row as it was when it began, and changes it as it is. So
// one who lost at the very same moment is shown the version that it expected.
TEST_F(PostgresqlVerbsTest, WhoLosesAtTheSameMomentIsShownTheWinner) {
  const auto store = open();
  auto record = record_of_now();
  put(*store, key_of("a"), record);
  for (int round = 0; round < 20; ++round) {
    Raw other(place->uri());
    const auto expected = record.version;
    ++record.version.counter;
    other.ask("BEGIN; SELECT n FROM sancho_sessions FOR UPDATE");
    std::optional<CommitAnswer> answer;
    auto mine = record;
    mine.version.incarnation = 8;
    std::thread loser([&] { answer = store->commit(key_of("a"), expected, mine, soon()); });
    // It waits for the row, with a view of the time before.
    while (other.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
                     "'%sancho_sessions%' AND usename = current_user"
                     " AND pg_blocking_pids(pid) @> ARRAY[pg_backend_pid()]") == "0") {
    }
    // What a commit of ours would write, by a statement of the same kind.
    other.ask(
        "UPDATE sancho_sessions t SET n = n + 1, checksum = substr(sha256(int8send(t.inc) || int8send(t.n + 1) || "
        "int8send(t.state::int8)"
        " || int8send(t.created) || int8send(t.idle) || int8send(t.ends) || int8send(octet_length(t.subject)::int8)"
        " || int8send(octet_length(t.handle)::int8) || t.subject || convert_to(t.handle, 'UTF8') || t.payload), 1, 8); "
        "COMMIT");
    loser.join();
    ASSERT_TRUE(answer && std::holds_alternative<Conflict>(*answer));
    EXPECT_EQ(std::get<Conflict>(*answer).current, record);
  }
}

TEST_F(PostgresqlVerbsTest, ManyLoginsAndRevocationsBlockNobodyForGood) {
  const auto store = open();
  const int each = std::max(20, test::rounds() / 10);
  std::atomic<int> admitted = 0, revoked = 0, at_cap = 0, taken = 0;
  std::vector<std::thread> threads;
  std::atomic<bool> over = false;
  for (unsigned i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      std::minstd_rand chance(i + 1);
      try {
        for (int n = 0; n < each; ++n) {
          auto record = record_of_now();
          record.subject = "user " + std::to_string(chance() % 3);
          const auto key = key_of(std::to_string(chance() % 20));
          Admission admission{.seen = store->epochs()->epochs(record.subject, soon()),
                              .cap = static_cast<std::uint32_t>(chance() % 5)};
          const auto answer = store->create(key, record, soon(), &admission);
          admitted += std::holds_alternative<Done>(answer);
          taken += std::holds_alternative<Taken>(answer);
          if (const auto* no = std::get_if<Refused>(&answer)) ++(no->why == Refused::Why::revoked ? revoked : at_cap);
          store->erase(key_of(std::to_string(chance() % 20)), {}, soon());
        }
      } catch (const std::exception& e) {
        ADD_FAILURE() << e.what();
      }
    });
  std::thread revoker([&] {
    for (std::uint64_t epoch = 1; !over; ++epoch) {
      const auto until = system_clock().now() + Duration{epoch % 5};
      store->epochs()->set_epoch(epoch % 3 ? "user " + std::to_string(epoch % 3) : "", epoch, until, soon());
      store->sweep({}, soon());
    }
  });
  for (auto& thread : threads) thread.join();
  over = true;
  revoker.join();
  EXPECT_EQ(admitted + revoked + at_cap + taken, 8 * each);
  EXPECT_GT(admitted, 0);
  EXPECT_EQ(Raw(place->uri()).ask("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), "0");
}

TEST_F(PostgresqlVerbsTest, SweepersShareTheWorkAndWaitForNobody) {
  const auto store = open();
  auto record = record_of_now();
  record.ends = record.created - 1s;
  for (int i = 0; i < 300; ++i) put(*store, key_of(std::to_string(i)), record);
  Raw other(place->uri());
  other.ask("BEGIN; SELECT * FROM sancho_sessions ORDER BY due LIMIT 50 FOR UPDATE");  // somebody is at these
  std::atomic<std::size_t> removed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (bool more = true; more;) {
        const auto swept = store->sweep({.budget = 20, .accessed_before = {}}, soon());
        removed += swept.removed;
        more = swept.more;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(removed, 250u);
  other.ask("COMMIT");
  EXPECT_EQ(store->sweep({}, soon()).removed, 50u);
}

TEST_F(PostgresqlVerbsTest, AChildOpensConnectionsOfItsOwn) {
  const auto store = open();
  put(*store, key_of("a"), record_of_now("of the parent"));
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const auto child = fork();
    if (child == 0) {
      bool fine = true;
      for (int n = 0; n < 50; ++n) {
        const auto record = store->load(key_of("a"), soon());
        fine = fine && record && record->payload == "of the parent";
      }
      _exit(fine ? 0 : 1);
    }
    children.push_back(child);
  }
  for (int n = 0; n < 50; ++n) EXPECT_TRUE(store->load(key_of("a"), soon()));
  for (const auto child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(store->load(key_of("a"), soon()));
}

}  // namespace
}  // namespace sancho::postgresql_test
