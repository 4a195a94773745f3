// Opening: what is refused, what is made, what is left alone.
#include <thread>

#include "../support/skip.hpp"
#include "mysql_fixture.hpp"
#include "sancho/open_store.hpp"

namespace sancho::mysql_test {
namespace {

class MysqlOpen : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = options_from("SANCHO_TEST_MYSQL");
    if (!found) SANCHO_SKIP("SANCHO_TEST_MYSQL is not set");
    place.emplace(*found);
    options = place->options();
  }
  // Opens it, and says what was wrong.
  std::optional<Trouble> refusal(const MysqlOptions& o, std::string* message = nullptr) {
    return trouble_of([&] { place->open(o); }, message);
  }
  std::optional<Namespace> place;
  MysqlOptions options;
};

TEST_F(MysqlOpen, AUriOpensIt) {
  const auto store = open_store(uri_of(options) + "&hosts=random&connections=3&connect_timeout=500");
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record_of(), soon())));
  EXPECT_EQ(place->open()->load(key_of("a"), soon())->payload, "payload");
  EXPECT_EQ(store->name().find(*options.password), std::string::npos);
}

TEST_F(MysqlOpen, OptionsThatCannotWorkAreRefused) {
  const std::string base = "mysql://u:verysecret@127.0.0.1/db";
  for (const auto* wrong : {"?hosts=all", "?connections=0", "?connections=x", "?connect_timeout=1", "?tls=maybe",
                            "?namespace=A", "?nonsense=1"})
    try {
      open_store(base + wrong);
      ADD_FAILURE() << wrong;
    } catch (const ConfigError& e) {
      EXPECT_EQ(std::string(e.what()).find("verysecret"), std::string::npos) << e.what();
    }
  EXPECT_THROW(open_store("mysql://u:p@127.0.0.1"), ConfigError);
  EXPECT_THROW(open_store("mysql://u:p@127.0.0.1/"), ConfigError);
}

TEST_F(MysqlOpen, AWrongPasswordIsRefusedAndNotShown) {
  options.password = "verysecret";
  std::string message;
  EXPECT_EQ(refusal(options, &message), Trouble::refused);
  EXPECT_NE(message.find("wrong user or password"), std::string::npos) << message;
  EXPECT_EQ(message.find("verysecret"), std::string::npos);
}

TEST_F(MysqlOpen, AMissingDatabaseIsRefused) {
  options.database = "sancho_nowhere";
  std::string message;
  EXPECT_EQ(refusal(options, &message), Trouble::refused);
  EXPECT_NE(message.find("127.0.0.1"), std::string::npos) << message;
}

TEST_F(MysqlOpen, AServerThatIsNotThereIsUnavailable) {
  options.hosts[0].port = 1;
  EXPECT_EQ(refusal(options), Trouble::unavailable);
}

TEST_F(MysqlOpen, AHostThatIsNotThereIsPassedOver) {
  options.hosts.insert(options.hosts.begin(), {"127.0.0.1", 1});
  const auto store = place->open(options);
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record_of(), soon())));
  EXPECT_FALSE(store->traits().linearizable) << "two hosts that are no cluster";
}

TEST_F(MysqlOpen, ANewerSchemaIsUnavailableAndNotTouched) {
  place->open()->create(key_of("a"), record_of(), soon());
  Raw raw(options);
  raw.run("ALTER TABLE " + place->table("sessions") + " COMMENT='sancho schema 2'");
  std::string message;
  EXPECT_EQ(refusal(options, &message), Trouble::unavailable);
  EXPECT_NE(message.find("schema is number 2"), std::string::npos) << message;
  EXPECT_EQ(raw.ask("SELECT COUNT(*) FROM " + place->table("sessions")), "1");
}

TEST_F(MysqlOpen, ATableOfAnotherApplicationIsRefused) {
  Raw(options).run("CREATE TABLE " + place->table("sessions") + " (id INT)");
  EXPECT_EQ(refusal(options), Trouble::refused);
}

TEST_F(MysqlOpen, ManyMayOpenItForTheFirstTimeAtOnce) {
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      const auto store = place->open();
      done += std::holds_alternative<Done>(store->create(key_of(std::to_string(i)), record_of(), soon()));
      store->setup();
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(done, 8);
  EXPECT_EQ(place->open()->scan()->count(soon()), 8u);
}

TEST_F(MysqlOpen, AUserWithRightsOnTheTablesAloneDoesEverythingButMakeThem) {
  const Process server(options);
  server.administer("CREATE USER IF NOT EXISTS clerk@'127.0.0.1' IDENTIFIED BY 'pencil'");
  auto clerk = options;
  clerk.user = "clerk";
  clerk.password = "pencil";
  EXPECT_EQ(refusal(clerk), Trouble::refused);
  place->open();
  for (const auto* kind : {"sessions", "epochs", "everyone"})
    server.administer("GRANT SELECT, INSERT, UPDATE, DELETE ON " + options.database + "." + place->table(kind) +
                      " TO clerk@'127.0.0.1'");
  const auto store = place->open(clerk);
  auto record = record_of();
  record.subject = "ada";
  const Admission admission{.cap = 3};
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon(), &admission)));
  EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 1u);
  store->epochs()->set_epoch("", 5, system_clock().now() + 1h, soon());
  EXPECT_EQ(store->epochs()->epochs("ada", soon()).everyone, 5u);
  place->ahead += Duration(24h).count();
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
  server.administer("DROP USER clerk@'127.0.0.1'");
}

TEST_F(MysqlOpen, TheTraitsAreWhatTheServersSettingsGive) {
  const Process server(options);
  const auto traits = [&] { return place->open()->traits(); };
  EXPECT_TRUE(traits().power_safe) << "as installed, without a binary log";
  EXPECT_TRUE(traits().linearizable);
  EXPECT_FALSE(traits().survives_failover);
  EXPECT_TRUE(traits().distributed);
  server.administer("SET GLOBAL innodb_flush_log_at_trx_commit=2");
  EXPECT_TRUE(traits().durable);
  EXPECT_FALSE(traits().power_safe);
  server.administer("SET GLOBAL innodb_flush_log_at_trx_commit=0");
  EXPECT_FALSE(traits().durable);
  server.administer("SET GLOBAL innodb_flush_log_at_trx_commit=1");
}

TEST_F(MysqlOpen, AServerThatCameToPromiseLessIsNotUsed) {
  const Process server(options);
  const auto store = place->open();
  server.administer("SET GLOBAL innodb_flush_log_at_trx_commit=2");
  server.administer("KILL USER " + options.user);
  std::string message;
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("innodb_flush_log_at_trx_commit"), std::string::npos) << message;
  server.administer("SET GLOBAL innodb_flush_log_at_trx_commit=1");
  EXPECT_FALSE(store->load(key_of("a"), soon()));
}

TEST_F(MysqlOpen, AReadOnlyServerIsPassedOver) {
  const Process server(options);
  const auto store = place->open();
  server.administer("SET GLOBAL read_only=1");
  EXPECT_EQ(refusal(options), Trouble::unavailable);
  std::string message;
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record_of(), soon()); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("read-only"), std::string::npos) << message;
  server.administer("SET GLOBAL read_only=0");
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record_of(), soon())));
}

}  // namespace
}  // namespace sancho::mysql_test
