// Through TLS: who is talked to, and that nothing goes in the clear.
#include "../support/skip.hpp"
#include "mysql_fixture.hpp"
#include "sancho/open_store.hpp"

namespace sancho::mysql_test {
namespace {

using Tls = MysqlOptions::Tls;

class MysqlTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = options_from("SANCHO_TEST_MYSQL_TLS");
    if (!found) SANCHO_SKIP("SANCHO_TEST_MYSQL_TLS is not set");
    place.emplace(*found);
    options = place->options();
    stranger = options_from("SANCHO_TEST_MYSQL_TLS_STRANGER")->tls_ca;
  }
  std::optional<Trouble> refusal(std::string* message = nullptr) {
    return trouble_of([&] { place->open(options); }, message);
  }
  std::optional<Namespace> place;
  MysqlOptions options;
  std::string stranger;  // an authority that did not sign
};

TEST_F(MysqlTlsTest, ARecordOfMoreThanAPacketComesAndGoes) {
  const auto store = place->open();
  const auto record = record_of(std::string(300'000, 'x'));
  ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon())));
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, record.payload);
}

TEST_F(MysqlTlsTest, AUriSaysWhomToTrust) {
  const auto uri = std::string(std::getenv("SANCHO_TEST_MYSQL_TLS")) + "&namespace=" + options.name_space;
  EXPECT_FALSE(open_store(uri)->load(key_of("a"), soon()));
  EXPECT_EQ(trouble_of([] { open_store(std::getenv("SANCHO_TEST_MYSQL_TLS_STRANGER")); }), Trouble::unavailable);
}

TEST_F(MysqlTlsTest, AStrangersCertificateIsUnavailable) {
  std::string message;
  for (const auto& ca : {stranger, std::string()}) {  // nor have the system's authorities signed it
    options.tls_ca = ca;
    EXPECT_EQ(refusal(&message), Trouble::unavailable) << ca;
    EXPECT_NE(message.find("2026"), std::string::npos) << message;
  }
}

TEST_F(MysqlTlsTest, ACertificateForAnotherHostIsUnavailable) {
  options.hosts[0].host = "127.1";  // leads there, and stands in no certificate
  std::string message;
  EXPECT_EQ(refusal(&message), Trouble::unavailable);
  EXPECT_NE(message.find("2026"), std::string::npos) << message;
  options.tls = Tls::require;
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(MysqlTlsTest, WhoOnlyWantsEncryptionTrustsWhoeverAnswers) {
  options.tls = Tls::require;
  options.tls_ca.clear();
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(MysqlTlsTest, InTheClearIsRefused) {
  options.tls = Tls::off;
  EXPECT_EQ(refusal(), Trouble::refused);
}

}  // namespace
}  // namespace sancho::mysql_test
