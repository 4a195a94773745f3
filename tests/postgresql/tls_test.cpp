// Through TLS: who is talked to, and that nothing goes in the clear.
#include "../support/skip.hpp"
#include "fixture.hpp"

namespace sancho::postgresql_test {
namespace {

class PostgresqlTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (server("SANCHO_TEST_POSTGRESQL_TLS").empty()) SANCHO_SKIP("SANCHO_TEST_POSTGRESQL_TLS names no server");
  }
  // The same, but for what comes behind the `?`.
  static std::string with_options(const std::string& options) {
    const auto uri = server("SANCHO_TEST_POSTGRESQL_TLS");
    return uri.substr(0, uri.find('?') + 1) + options;
  }
};

TEST_F(PostgresqlTlsTest, ARecordOfMoreThanAPacketComesAndGoes) {
  const Place place(server("SANCHO_TEST_POSTGRESQL_TLS"));
  const auto store = open_under_test(place.uri());
  const auto record = record_of_now(std::string(300'000, 'x'));
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, record.payload);
  EXPECT_EQ(place.ask("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                      " WHERE usename = current_user AND NOT ssl"), "0");
}

TEST_F(PostgresqlTlsTest, AStrangersCertificateIsUnavailable) {
  std::string message;
  EXPECT_EQ(trouble_of([] { open_under_test(server("SANCHO_TEST_POSTGRESQL_TLS_STRANGER")); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("certificate verify failed"), std::string::npos) << message;
}

TEST_F(PostgresqlTlsTest, ACertificateForAnotherHostIsUnavailable) {
  auto uri = server("SANCHO_TEST_POSTGRESQL_TLS");
  uri.replace(uri.find("127.0.0.1"), 9, "127.0.0.2");
  std::string message;
  EXPECT_EQ(trouble_of([&] { open_under_test(with(uri, "hostaddr=127.0.0.1")); }, &message), Trouble::unavailable);
  EXPECT_NE(message.find("does not match host name"), std::string::npos) << message;
}

TEST_F(PostgresqlTlsTest, InTheClearIsRefused) {
  std::string message;
  EXPECT_EQ(trouble_of([] { open_under_test(with_options("sslmode=disable")); }, &message), Trouble::refused);
  EXPECT_NE(message.find("no encryption"), std::string::npos) << message;
}

}  // namespace
}  // namespace sancho::postgresql_test
