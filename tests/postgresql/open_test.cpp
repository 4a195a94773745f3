// Opening: what is made, what is refused, and what is told.
#include <thread>

#include "fixture.hpp"

namespace sancho::postgresql_test {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  return at == text.npos ? text : text.replace(at, what.size(), by);
}

class PostgresqlOpenTest : public PostgresqlTest {};

TEST_F(PostgresqlOpenTest, AWrongPasswordIsRefusedAndNotTold) {
  const auto colon = server().find(':', server().find("//"));
  const auto password = server().substr(colon + 1, server().find('@') - colon - 1);
  std::string message;
  EXPECT_EQ(trouble_of([&] { open_under_test(replaced(server(), password, "wr0ng")); }, &message), Trouble::refused);
  EXPECT_NE(message.find("28P01"), std::string::npos) << message;
  EXPECT_EQ(message.find("wr0ng"), std::string::npos) << message;
}

TEST_F(PostgresqlOpenTest, AMissingDatabaseIsRefusedByName) {
  std::string message;
  EXPECT_EQ(trouble_of([&] { open_under_test(server() + "_not_there"); }, &message), Trouble::refused);
  EXPECT_NE(message.find("sancho_not_there"), std::string::npos) << message;
  EXPECT_NE(message.find("create the database"), std::string::npos) << message;
}

TEST_F(PostgresqlOpenTest, NobodyThereIsUnavailable) {
  std::string message;
  EXPECT_EQ(trouble_of([&] { open_under_test("postgresql://ada:s3cret@127.0.0.1:1/shop"); }, &message),
            Trouble::unavailable);
  EXPECT_EQ(message.find("s3cret"), std::string::npos) << message;
}

TEST_F(PostgresqlOpenTest, AHostThatIsDownIsPassedOver) {
  const auto at = server().find('@') + 1;
  const auto store =
      open_under_test(with(server().substr(0, at) + "127.0.0.1:1," + server().substr(at), "namespace=" + fresh_name()));
  EXPECT_FALSE(store->load(key_of("a"), soon()));
  const auto ns = store->name();
}

TEST_F(PostgresqlOpenTest, ANewerSchemaIsUnavailableAndNotTouched) {
  open();
  place->ask("UPDATE sancho_schema SET version = 2");
  place->ask("ALTER TABLE sancho_sessions ADD more int");
  std::string message;
  EXPECT_EQ(trouble_of([&] { open(); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("schema is number 2"), std::string::npos) << message;
  EXPECT_EQ(place->ask("SELECT version FROM sancho_schema"), "2");
}

TEST_F(PostgresqlOpenTest, TablesThatAreNotOursAreRefusedAndNotTouched) {
  place->ask("CREATE TABLE sancho_sessions (id text)");
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::refused);
  EXPECT_EQ(place->ask("SELECT count(*) FROM pg_tables WHERE schemaname = '" + place->schema() + "'"), "1");
}

TEST_F(PostgresqlOpenTest, ManyMayMakeTheTablesAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      try {
        EXPECT_TRUE(std::holds_alternative<Absent>(open()->erase(key_of("a"), {}, soon())));
      } catch (const std::exception& e) {
        ++failed;
        ADD_FAILURE() << e.what();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(place->ask("SELECT count(*) FROM sancho_schema"), "1");
}

TEST_F(PostgresqlOpenTest, NamespacesNeverMeet) {
  const auto one = open({.name_space = "one"}), two = open({.name_space = "two"}), none = open();
  auto record = record_of_now();
  record.subject = "ada";
  record.idle = 0ms;  // expired at once
  put(*one, key_of("old"), record);
  record.idle = 30min;
  put(*one, key_of("a"), record);
  one->epochs()->set_epoch("ada", 7, system_clock().now() + 1h, soon());
  one->epochs()->set_epoch("", 8, system_clock().now() + 1h, soon());
  for (auto* other : {two.get(), none.get()}) {
    EXPECT_FALSE(other->load(key_of("a"), soon()));
    EXPECT_TRUE(std::holds_alternative<Gone>(other->commit(key_of("a"), record.version, record, soon())));
    EXPECT_TRUE(std::holds_alternative<Gone>(other->touch(key_of("a"), 7, record.accessed + 1s, soon())));
    EXPECT_TRUE(std::holds_alternative<Absent>(other->erase(key_of("a"), {}, soon())));
    EXPECT_EQ(other->sweep({}, soon()).removed, 0u);
    EXPECT_EQ(other->scan()->count(soon()), 0u);
    EXPECT_TRUE(other->subjects()->find_by_subject("ada", soon()).empty());
    EXPECT_EQ(other->epochs()->epochs("ada", soon()), EpochsSeen{});
    other->scan()->walk([](const KeyedRecord&) { return ADD_FAILURE() << "a walk met another namespace", true; },
                        soon());
    const Admission alone{.seen = {}, .cap = 1};
    EXPECT_TRUE(std::holds_alternative<Done>(other->create(key_of("a"), record, soon(), &alone)));
  }
  EXPECT_EQ(one->sweep({}, soon()).removed, 1u);
}

TEST_F(PostgresqlOpenTest, TraitsSayWhatTheServerDoesForACommit) {
  const auto on = open({.synchronous_commit = "on"})->traits(), off = open({.synchronous_commit = "off"})->traits();
  const bool flushes = place->ask("SHOW fsync") == "on";
  EXPECT_TRUE(on.durable && on.distributed && on.linearizable && on.keeps);
  EXPECT_EQ(on.power_safe, flushes);
  EXPECT_FALSE(on.survives_failover);  // it has no standby
  EXPECT_FALSE(off.durable);
  EXPECT_FALSE(off.power_safe);
}

}  // namespace
}  // namespace sancho::postgresql_test
