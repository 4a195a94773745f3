// What a URI may say, which servers will do, and what a namespace keeps apart.
#include "fake_server.hpp"
#include "memcached_fixture.hpp"
#include "sancho/open_store.hpp"
#include "stores/memcached/lifetime.hpp"

namespace sancho::memcached_test {
namespace {

class MemcachedOpen : public MemcachedTest {};

TEST(MemcachedUri, WhatCannotBeIsRefusedAndNoPasswordIsShown) {
  for (const auto* uri : {
           "memcached:",
           "memcached:///sessions",
           "memcached://127.0.0.1/sessions",
           "memcached://127.0.0.1:0",
           "memcached://127.0.0.1:70000",
           "memcached://127.0.0.1:",
           "memcached://127.0.0.1:x",
           "memcached://a,,b",
           "memcached://127.0.0.1,",
           "memcached://user@127.0.0.1",
           "memcached://user:hunter2@127.0.0.1",
           "memcached://a%20b",
           "memcached://a%0d%0ab",
           "memcached://127.0.0.1?connections=0",
           "memcached://127.0.0.1?connections=1025",
           "memcached://127.0.0.1?connections=many",
           "memcached://127.0.0.1?namespace=Shop",
           "memcached://127.0.0.1?namespace=a%20b",
           "memcached://127.0.0.1?namespace=a:b",
           "memcached://127.0.0.1?namespace=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
           "memcached://127.0.0.1?retries=3",
       }) {
    try {
      open_store(uri);
      ADD_FAILURE() << uri;
    } catch (const ConfigError& e) {
      EXPECT_EQ(std::string(e.what()).find("hunter2"), std::string::npos) << e.what();
    }
  }
}

TEST(MemcachedUri, TheFunctionRefusesTheSame) {
  EXPECT_THROW(open_memcached_store({}), ConfigError);
  EXPECT_THROW(open_memcached_store({{"", 11211}}), ConfigError);
  EXPECT_THROW(open_memcached_store({{"127.0.0.1", 0}}), ConfigError);
  EXPECT_THROW(open_memcached_store({{"/run/memcached.sock", 1}}), ConfigError);
  EXPECT_THROW(open_memcached_store({{"127.0.0.1", 1}}, {.name_space = "a b"}), ConfigError);
  EXPECT_THROW(open_memcached_store({{"127.0.0.1", 1}}, {.connections = 0}), ConfigError);
}

TEST_F(MemcachedOpen, TheNameIsTheUriWithoutOptions) {
  const Server server;
  const auto store = open_store("memcached://" + server.address() + "?namespace=shop&connections=2", clock);
  EXPECT_EQ(store->name(), "memcached://" + server.address());
}

TEST_F(MemcachedOpen, ThereMustBeAServer) {
  const auto trouble = trouble_of([&] { open(free_port()); });
  EXPECT_EQ(trouble.kind(), Trouble::unavailable);
  EXPECT_FALSE(trouble.maybe_done());
}

TEST_F(MemcachedOpen, OneServerOfSeveralIsEnough) {
  const Server server;
  EXPECT_NO_THROW(open_memcached_store({{"127.0.0.1", free_port()}, {"127.0.0.1", server.port()}}, {}, clock));
}

TEST_F(MemcachedOpen, AServerWithoutCasIsRefused) {
  const Server server({"-C"});
  const auto trouble = trouble_of([&] { open(server); });
  EXPECT_EQ(trouble.kind(), Trouble::refused);
  EXPECT_NE(std::string(trouble.what()).find("-C"), std::string::npos) << trouble.what();
}

TEST_F(MemcachedOpen, AServerThatWantsAPasswordIsRefused) {
  std::string path = testing::TempDir() + "sancho-memcached-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_EQ(::write(fd, "who:what\n", 9), 9);
  ASSERT_EQ(::fchmod(fd, 0644), 0);
  ::close(fd);
  const Server server({"-Y", path});
  const auto trouble = trouble_of([&] { open(server); });
  ::unlink(path.c_str());
  EXPECT_EQ(trouble.kind(), Trouble::refused);
  EXPECT_NE(std::string(trouble.what()).find("password"), std::string::npos) << trouble.what();
}

TEST_F(MemcachedOpen, NamespacesNeverMeet) {
  const Server server;
  const std::vector<std::string> names{"", "a", "b", "ab"};
  std::vector<std::unique_ptr<SessionStore>> stores;
  for (const auto& name : names) stores.push_back(open(server, {.name_space = name}));
  const auto key = key_of("everybody's");
  for (std::size_t i = 0; i < stores.size(); ++i) {
    EXPECT_FALSE(stores[i]->load(key, soon()));
    put(*stores[i], key, record(names[i]));
  }
  const auto ended = record("ended", 2);
  EXPECT_TRUE(std::holds_alternative<Done>(stores[1]->commit(key, record().version, ended, soon())));
  EXPECT_TRUE(std::holds_alternative<Removed>(stores[2]->erase(key, std::nullopt, soon())));
  EXPECT_EQ(stores[0]->load(key, soon())->payload, "");
  EXPECT_EQ(stores[1]->load(key, soon())->payload, "ended");
  EXPECT_FALSE(stores[2]->load(key, soon()));
  EXPECT_EQ(stores[3]->load(key, soon())->payload, "ab");
}

// ## What memcached is told about time

TEST(MemcachedLifetime, IsNeverShorterThanTheRecords) {
  using memcached::exptime;
  constexpr std::int64_t now = 1'700'000'000;
  EXPECT_GE(exptime(0ms, now), 1);
  EXPECT_GE(exptime(-24h * 365, now), 1) << "a record that has expired by a clock that may be set back";
  EXPECT_GE(exptime(1ms, now), 2);
  EXPECT_GE(exptime(30min, now), 1801);
  EXPECT_LE(exptime(30min, now), 1800 + 120);
  for (const auto days : {29, 30, 31, 90, 4000}) {
    const auto left = std::chrono::seconds{days * 86400LL};
    const auto told = exptime(left, now);
    const auto lasts = told > 30 * 86400 ? told - now : told;
    EXPECT_GE(lasts, left.count()) << days;
    EXPECT_LE(lasts, left.count() + 120) << days;
  }
  EXPECT_EQ(exptime(24h * 365 * 100, now), 0) << "beyond what memcached can say: never";
  EXPECT_EQ(exptime(Duration{std::int64_t{1} << 54}, now), 0);
}

TEST_F(MemcachedOpen, TheServerIsToldToForgetWhatHasExpiredAndNoSooner) {
  const Server server;
  const auto store = open(server);
  Raw raw(server.port());
  const auto lasts = [&](const SessionKey& key) {  // HD t<seconds>
    const auto answer = raw.ask("mg " + item_of(key) + " t");
    return answer.starts_with("HD t") ? std::stol(answer.substr(4)) : -2;
  };
  const auto one = key_of("one"), two = key_of("two"), three = key_of("three");
  auto r = put(*store, one, record());
  EXPECT_GE(lasts(one), 30 * 60);
  EXPECT_LE(lasts(one), 32 * 60);
  clock.advance(20min);
  store->touch(one, r.version.incarnation, clock.now(), soon());
  EXPECT_GE(lasts(one), 30 * 60) << "a touch makes it last longer";
  auto long_lived = record();
  long_lived.idle = long_lived.ends - long_lived.accessed + 1h;
  long_lived.ends = long_lived.accessed + 24h * 90;
  long_lived.idle = 24h * 90;
  put(*store, two, long_lived);
  EXPECT_GE(lasts(two), 90 * 86400);
  EXPECT_LE(lasts(two), 90 * 86400 + 120);
  clock.set(Time{std::chrono::sys_days{std::chrono::year{2300} / 1 / 1}});
  put(*store, three, record());
  EXPECT_GE(lasts(three), 30 * 60) << "the moment is the store's clock's, the span is the same";
}

}  // namespace
}  // namespace sancho::memcached_test
