// One server: what goes wrong, and what is said of it.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "../support/skip.hpp"
#include "place.hpp"
#include "sessions.hpp"

namespace sancho::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RedisTrouble : public testing::Test {
 protected:
  void SetUp() override {
    if (server_uri("REDIS").empty()) SANCHO_SKIP("there is no server: run it by tests/servers/with_server.py");
  }
  // Sets what the server is to be like, for one test.
  void configure(RedisPlace& place, const std::string& name, const std::string& value) {
    place.client().run_at(place.client().masters(in_time()).at(0), {"CONFIG", "SET", name, value}, in_time());
  }
};

TEST_F(RedisTrouble, AWrongPasswordIsRefusedAndNotShown) {
  auto options = redis_options("REDIS");
  options.password = "hunter2";
  const auto e = trouble([&] { open_redis(options); });
  EXPECT_EQ(e.kind(), Trouble::refused);
  EXPECT_NE(std::string(e.what()).find("WRONGPASS"), std::string::npos);
  EXPECT_NE(std::string(e.what()).find("redis://127.0.0.1:"), std::string::npos) << e.what();
  EXPECT_EQ(std::string(e.what()).find("hunter2"), std::string::npos);
  options.user = "", options.password = std::nullopt;
  EXPECT_EQ(trouble([&] { open_redis(options); }).kind(), Trouble::refused);
}

TEST_F(RedisTrouble, NobodyThereIsUnavailableAtOnce) {
  auto options = redis_options("REDIS");
  options.addresses[0].port = 1;
  const auto e = trouble([&] { open_redis(options); });
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  EXPECT_FALSE(e.maybe_done());
  options.addresses[0].host = "no-such-host.invalid";
  EXPECT_EQ(trouble([&] { open_redis(options); }).kind(), Trouble::unavailable);
}

// Who sends it again meets what it has written itself, and must not take that
// for an acknowledgement.
TEST_F(RedisTrouble, AWriteThatTooFewReplicasHaveIsNotAcknowledgedWhenItIsSentAgain) {
  RedisPlace place("REDIS");
  const auto alone = open_redis(place.options());
  auto options = place.options();
  options.wait = 1, options.wait_timeout = milliseconds{20};
  const auto store = open_redis(options);
  const auto record = session_of("ada");
  const auto key = key_for(*store, "ada");
  for (int times = 0; times < 2; ++times) {
    const auto created = trouble([&] { store->create(key, record, in_time()); });
    EXPECT_TRUE(created.kind() == Trouble::unavailable && created.maybe_done()) << created.what();
  }
  for (int times = 0; times < 2; ++times) {
    const auto committed = trouble([&] { store->commit(key, record.version, next(record), in_time()); });
    EXPECT_TRUE(committed.kind() == Trouble::unavailable && committed.maybe_done()) << committed.what();
  }
  EXPECT_EQ(alone->load(key, in_time())->version, next(record).version);
}

TEST_F(RedisTrouble, ANamespaceOfANewerLayoutIsUnavailableAndNotTouched) {
  RedisPlace place("REDIS");
  place.command({"HSET", place.names().meta(), "schema", "2", "secret", std::string(32, 's')});
  EXPECT_EQ(trouble([&] { place.open(); }).kind(), Trouble::unavailable);
  EXPECT_EQ(place.command({"HGET", place.names().meta(), "schema"}).text, "2");
  EXPECT_EQ(place.keys().size(), 1u);
}

TEST_F(RedisTrouble, WithoutItsMetaKeyANamespaceWithSessionsIsNotOpened) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  store->create(key_for(*store), session_of(), in_time());
  place.command({"DEL", place.names().meta()});
  EXPECT_EQ(trouble([&] { place.open(); }).kind(), Trouble::refused);
  EXPECT_EQ(place.command({"EXISTS", place.names().meta()}).number, 0);
}

TEST_F(RedisTrouble, AMetaKeyThatIsLostIsWrittenAgainByWhoKnowsIt) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto tag = store->routing()->tag_of("ada");
  place.command({"DEL", place.names().meta()});
  store->epochs()->epochs("ada", in_time());
  EXPECT_EQ(place.open()->routing()->tag_of("ada"), tag);
}

TEST_F(RedisTrouble, AfterAFlushAllProcessesAgreeOnANewSecret) {
  RedisPlace place("REDIS");
  const auto before = place.open();
  for (const auto& name : place.keys()) place.command({"DEL", name});
  const auto after = place.open();
  before->subjects()->find_by_subject("ada", in_time());
  EXPECT_EQ(before->routing()->tag_of("ada"), after->routing()->tag_of("ada"));
}

TEST_F(RedisTrouble, ARecordUnderAnotherSubjectsTagIsRefused) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = SessionKey::of("test", SessionId::draw(system_random(), store->routing()->tag_of("ada") ^ 1));
  EXPECT_EQ(trouble([&] { store->create(key, session_of("ada"), in_time()); }).kind(), Trouble::refused);
  EXPECT_FALSE(store->load(key, in_time()));
}

TEST_F(RedisTrouble, AFullServerRefusesSessionsAndLetsPeopleLogOut) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store, "ada"), erased = key_for(*store);
  const auto record = session_of("ada");
  store->create(key, record, in_time());
  store->create(erased, session_of(), in_time());
  configure(place, "maxmemory", "1");
  const auto full = trouble([&] { store->create(key_for(*store), session_of(), in_time()); });
  const auto changed = trouble([&] { store->commit(key, record.version, next(record), in_time()); });
  auto ended = next(record);
  ended.state = State::ended;
  const auto touched = store->touch(key, record.version.incarnation, record.accessed + seconds{1}, in_time());
  const auto logout = store->commit(key, record.version, ended, in_time());
  const auto gone = store->erase(erased, std::nullopt, in_time());
  configure(place, "maxmemory", "0");
  EXPECT_EQ(full.kind(), Trouble::full);
  EXPECT_FALSE(full.maybe_done());
  EXPECT_EQ(changed.kind(), Trouble::full);
  EXPECT_TRUE(is<Done>(touched));
  EXPECT_TRUE(is<Done>(logout));
  EXPECT_TRUE(is<Removed>(gone));
  EXPECT_EQ(store->load(key, in_time())->state, State::ended);
  EXPECT_TRUE(store->subjects()->find_by_subject("ada", in_time()).empty());
}

TEST_F(RedisTrouble, AnEvictingServerKeepsNothingForSure) {
  RedisPlace place("REDIS");
  EXPECT_TRUE(place.open()->traits().keeps);
  configure(place, "maxmemory-policy", "volatile-ttl");
  EXPECT_TRUE(place.open()->traits().keeps) << "without maxmemory nothing is evicted";
  configure(place, "maxmemory", "10gb");
  const auto traits = place.open()->traits();
  configure(place, "maxmemory", "0");
  configure(place, "maxmemory-policy", "noeviction");
  EXPECT_FALSE(traits.keeps);
}

TEST_F(RedisTrouble, DurabilityIsWhatTheServerSaysOrYouDo) {
  RedisPlace place("REDIS");
  EXPECT_TRUE(place.open()->traits().durable);
  EXPECT_TRUE(place.open()->traits().power_safe);
  configure(place, "appendfsync", "everysec");
  const auto lax = place.open()->traits();
  configure(place, "appendfsync", "always");
  EXPECT_FALSE(lax.durable);
  auto options = place.options();
  options.durability = RedisOptions::Durability::process;
  EXPECT_TRUE(open_redis(options)->traits().durable);
  EXPECT_FALSE(open_redis(options)->traits().power_safe);
  EXPECT_FALSE(open_redis(options)->traits().survives_failover);
}

// Redis 7.0 reads its log with the rights of the user named default.
TEST_F(RedisTrouble, WhatTheLogCannotGiveBackIsNotDurable) {
  RedisPlace place("REDIS");
  const auto admin = place.client().masters(in_time()).at(0);
  place.client().run_at(admin, {"ACL", "SETUSER", "default", "-zadd"}, in_time());
  const auto traits = place.open()->traits();
  place.client().run_at(admin, {"ACL", "SETUSER", "default", "+@all"}, in_time());
  EXPECT_FALSE(traits.durable);
  EXPECT_TRUE(place.open()->traits().durable);
}

TEST_F(RedisTrouble, LargePayloadsComeBackWhole) {
  for (const auto* variable : {"REDIS", "REDISS"}) {
    if (server_uri(variable).empty()) continue;
    RedisPlace place(variable);
    const auto store = place.open();
    auto record = session_of("ada", std::string(1 << 20, 'x'));
    for (std::size_t i = 0; i < record.payload.size(); ++i) record.payload[i] = static_cast<char>(i * i >> 3 & 0xff);
    const auto key = key_for(*store, "ada");
    EXPECT_TRUE(is<Done>(store->create(key, record, in_time())));
    EXPECT_EQ(store->load(key, in_time()), record);
    auto shorter = next(record);
    shorter.payload.resize(1000);
    EXPECT_TRUE(is<Done>(store->commit(key, record.version, shorter, in_time())));
    EXPECT_EQ(store->load(key, in_time()), shorter);
  }
}

TEST_F(RedisTrouble, ADamagedRecordIsCorruptAndStays) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store, "ada"), intact = key_for(*store, "ada");
  const auto record = session_of("ada");
  store->create(key, record, in_time());
  store->create(intact, session_of("ada"), in_time());
  const auto name = place.names().record(key);
  place.command({"SETRANGE", name, "90", "X"});
  EXPECT_EQ(trouble([&] { store->load(key, in_time()); }).kind(), Trouble::corrupt);
  EXPECT_EQ(trouble([&] { store->create(key, record, in_time()); }).kind(), Trouble::corrupt);
  EXPECT_EQ(trouble([&] { store->erase(key, std::nullopt, in_time()); }).kind(), Trouble::corrupt);
  EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 1u);
  int walked = 0;
  store->scan()->walk([&](const KeyedRecord&) { return ++walked; }, in_time());
  EXPECT_EQ(walked, 1);
  EXPECT_EQ(store->sweep({.budget = 1000, .accessed_before = record.accessed + seconds{1}}, in_time()).removed, 1u);
  EXPECT_EQ(place.command({"EXISTS", name}).number, 1);
}

// As a newer program would write it.
std::string of_newer_format(const Record& record) {
  auto value = redis::value_of(record);
  value[19] = 2;
  std::string check;
  const auto sha = redis::Script(value.substr(16)).sha;
  for (std::size_t i = 0; i < 16; i += 2) check.push_back(static_cast<char>(std::stoi(sha.substr(i, 2), nullptr, 16)));
  return value.replace(0, 8, check);
}

TEST_F(RedisTrouble, ARecordOfANewerFormatStaysItsUsersWhoeverCounts) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto newer = key_for(*store, "ada");
  const auto record = session_of("ada");
  store->create(newer, record, in_time());
  const auto put = [&](const std::string& value) {
    place.command({"SET", place.names().record(newer), value, "KEEPTTL"});
  };
  put(of_newer_format(record));
  const Admission admission{.seen = {}, .cap = 1};
  EXPECT_TRUE(is<Done>(store->create(key_for(*store, "ada"), session_of("ada"), in_time(), &admission)));
  EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 1u);
  put(redis::value_of(record));  // as the newer program sees it
  EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 2u);
}

TEST_F(RedisTrouble, ARecordOfANewerFormatIsUnavailable) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store);
  const auto record = session_of();
  store->create(key, record, in_time());
  const auto value = of_newer_format(record);
  place.command({"SET", place.names().record(key), value, "KEEPTTL"});
  EXPECT_EQ(trouble([&] { store->load(key, in_time()); }).kind(), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { store->commit(key, record.version, next(record), in_time()); }).kind(), Trouble::unavailable);
  EXPECT_EQ(trouble([&] { store->touch(key, record.version.incarnation, record.accessed, in_time()); }).kind(),
            Trouble::unavailable);
  EXPECT_EQ(trouble([&] { store->erase(key, record.version, in_time()); }).kind(), Trouble::unavailable);
  EXPECT_EQ(place.command({"GET", place.names().record(key)}).text, value);
}

TEST_F(RedisTrouble, NamespacesNeverMeet) {
  RedisPlace mine("REDIS"), other("REDIS");
  const auto store = mine.open(), stranger = other.open();
  const auto key = key_for(*store, "ada");
  const auto record = session_of("ada");
  store->create(key, record, in_time());
  store->epochs()->set_epoch("", 7, system_clock().now() + seconds{60}, in_time());
  store->epochs()->set_epoch("ada", 8, system_clock().now() + seconds{60}, in_time());
  EXPECT_FALSE(stranger->load(key, in_time()));
  EXPECT_TRUE(is<Absent>(stranger->erase(key, std::nullopt, in_time())));
  EXPECT_TRUE(stranger->subjects()->find_by_subject("ada", in_time()).empty());
  EXPECT_EQ(stranger->scan()->count(in_time()), 0u);
  EXPECT_EQ(stranger->epochs()->epochs("ada", in_time()), EpochsSeen{});
  EXPECT_EQ(stranger->sweep({.budget = 1000, .accessed_before = record.accessed + seconds{9}}, in_time()).removed, 0u);
  EXPECT_EQ(store->load(key, in_time()), record);
}

TEST_F(RedisTrouble, NothingIsLeftWhenAllHasEnded) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  auto record = session_of("ada");
  record.ends = system_clock().now() + milliseconds{300};
  store->create(key_for(*store, "ada"), record, in_time());
  EXPECT_EQ(place.keys().size(), 3u) << "a record, its index, and the meta key";
  const auto until = in(seconds{20});
  while (place.keys().size() > 1 && !until.passed()) std::this_thread::yield();
  EXPECT_EQ(place.keys(), std::vector<std::string>{place.names().meta()});
}

TEST_F(RedisTrouble, WhatASweepReportsItReportsOnce) {
  RedisPlace place([] {
    auto options = redis_options("REDIS");
    options.report_expiry = std::chrono::hours{1};
    return options;
  }());
  const auto one = place.open(), two = place.open();
  EXPECT_FALSE(one->traits().sweeps_itself);
  constexpr std::size_t sessions = 300;
  for (std::size_t i = 0; i < sessions; ++i) {
    auto record = session_of();
    record.ends = system_clock().now() + milliseconds{1};
    one->create(key_for(*one), record, in_time());
  }
  std::atomic<std::size_t> reported = 0;
  const auto sweep_all = [&](SessionStore& store) {
    for (bool more = true; more;) {
      const auto answer = store.sweep({.budget = 40, .accessed_before = {}}, in_time());
      more = answer.more;
      reported += answer.handles.size();
    }
  };
  std::thread other([&] { sweep_all(*two); });
  sweep_all(*one);
  other.join();
  sweep_all(*one);
  EXPECT_EQ(reported, sessions);
}

// More than one call goes through.
TEST_F(RedisTrouble, SweepsForOldSessionsGetToTheEndThoughEachAsksForALaterMoment) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto now = system_clock().now();
  constexpr int sessions = 12'000;
  std::size_t old = 0;
  std::vector<redis::Call> calls;
  for (int i = 0; i < sessions; ++i) {
    auto record = session_of();
    if (i % 400 == 0) record.accessed = now - seconds{600}, ++old;
    const auto name = place.names().record(key_for(*store));
    calls.push_back({.words = {"SET", name, redis::value_of(record)}, .slot = redis::slot_of(name), .again = true});
  }
  place.client().run(calls, in_time());
  std::size_t removed = 0;
  bool more = false;
  for (int n = 0; n < 6; ++n) {
    const auto answer = store->sweep({.budget = 1000, .accessed_before = now - seconds{300 - n}}, in_time());
    removed += answer.removed;
    more = more || answer.more;
  }
  EXPECT_TRUE(more) << "one call went through all of them";
  EXPECT_EQ(removed, old);
}

TEST_F(RedisTrouble, AChildOfAForkIsRefusedAndDoesTheParentNoHarm) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store);
  store->create(key, session_of(), in_time());
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      store->load(key, in_time());
    } catch (const StoreError& e) {
      status = e.kind() == Trouble::refused ? 0 : 2;
    }
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(store->load(key, in_time()));
}

TEST_F(RedisTrouble, AFrozenServerHoldsNobodyUpBeyondTheDeadline) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store);
  const auto record = session_of();
  store->create(key, record, in_time());
  ServerControl servers;
  servers.ask("freeze redis");
  const auto begin = std::chrono::steady_clock::now();
  const auto load = trouble([&] { store->load(key, in(milliseconds{200})); });
  const auto commit = trouble([&] { store->commit(key, record.version, next(record), in(milliseconds{200})); });
  const auto took = std::chrono::steady_clock::now() - begin;
  servers.ask("thaw redis");
  EXPECT_EQ(load.kind(), Trouble::unavailable);
  EXPECT_FALSE(load.maybe_done());
  EXPECT_EQ(commit.kind(), Trouble::unavailable);
  EXPECT_LT(took, seconds{2});
  // An answer that comes late reaches nobody.
  for (int i = 0; i < 20; ++i) EXPECT_EQ(store->load(key, in_time())->payload, record.payload);
}

TEST_F(RedisTrouble, ARestartReachesOnlyTheCallsInFlight) {
  RedisPlace place("REDIS");
  const auto store = place.open();
  const auto key = key_for(*store, "ada");
  const auto record = session_of("ada");
  store->create(key, record, in_time());
  ServerControl servers;
  servers.ask("kill redis");
  const auto e = trouble([&] { store->load(key, in(seconds{1})); });
  EXPECT_EQ(e.kind(), Trouble::unavailable);
  servers.ask("start redis");
  EXPECT_EQ(store->load(key, in_time()), record);
  // Its connections are of before, and its scripts are gone.
  servers.ask("kill redis");
  servers.ask("start redis");
  EXPECT_TRUE(is<Done>(store->commit(key, record.version, next(record), in_time())));
}

TEST_F(RedisTrouble, ConnectionsAreBounded) {
  auto options = redis_options("REDIS");
  options.connections = 3;
  options.client_name = fresh_namespace();
  RedisPlace place(options);
  const auto store = place.open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) store->load(key_for(*store), in_time());
    });
  for (auto& thread : threads) thread.join();
  const auto clients =
      place.client().run_at(place.client().masters(in_time()).at(0), {"CLIENT", "LIST"}, in_time()).text;
  std::size_t count = 0;
  for (std::size_t at = 0; (at = clients.find("name=" + options.client_name, at)) != clients.npos; ++at) ++count;
  EXPECT_GE(count, 1u);
  EXPECT_LE(count, 3u + 1u) << "and the test's own";
}

// docs/stores/redis.md has the same words.
TEST_F(RedisTrouble, TheRightsThatTheDocumentationListsAreEnough) {
  RedisPlace place("REDIS");
  const auto admin = place.client().masters(in_time()).at(0);
  const auto user = fresh_namespace();
  redis::Command rights{
      "ACL", "SETUSER", user, "on", ">secret", "resetchannels", "~sancho:" + place.options().name_space + ":*"};
  for (const auto& right : rights_listed(false)) rights.push_back(right);
  place.client().run_at(admin, rights, in_time());
  auto options = place.options();
  options.user = user, options.password = "secret";
  for (const auto keep : {0, 1000}) {
    options.report_expiry = Duration{keep};
    const auto store = open_redis(options);
    EXPECT_TRUE(store->traits().durable);
    const auto key = key_for(*store, "ada");
    auto record = session_of("ada");
    const Admission admission{.seen = store->epochs()->epochs("ada", in_time()), .cap = 2};
    EXPECT_TRUE(is<Done>(store->create(key, record, in_time(), &admission)));
    const Admission one{.seen = admission.seen, .cap = 1};
    EXPECT_TRUE(is<Refused>(store->create(key_for(*store, "ada"), session_of("ada"), in_time(), &one)));
    EXPECT_TRUE(is<Done>(store->touch(key, record.version.incarnation, record.accessed + seconds{1}, in_time())));
    EXPECT_TRUE(is<Done>(store->commit(key, record.version, next(record), in_time())));
    EXPECT_EQ(store->subjects()->find_by_subject("ada", in_time()).size(), 1u);
    EXPECT_EQ(store->scan()->count(in_time()), 1u);
    store->epochs()->set_epoch("", 5, system_clock().now() + milliseconds{50}, in_time());
    EXPECT_TRUE(is<Removed>(store->erase(key, std::nullopt, in_time())));
    EXPECT_TRUE(store->subjects()->find_by_subject("ada", in_time()).empty());
    store->sweep({.budget = 1000, .accessed_before = system_clock().now()}, in_time());
  }
  place.client().run_at(admin, {"ACL", "SETUSER", user, "-evalsha", "-eval"}, in_time());
  const auto e = trouble([&] {
    const auto store = open_redis(options);
    store->create(key_for(*store), session_of(), in_time());
  });
  EXPECT_EQ(e.kind(), Trouble::refused);
  place.client().run_at(admin, {"ACL", "DELUSER", user}, in_time());
}

TEST(RedisTlsTrouble, AStrangersCertificateIsRefused) {
  if (server_uri("REDISS").empty()) SANCHO_SKIP("there is no server with TLS: run it by tests/servers/with_server.py");
  const auto e = trouble([&] { open_redis(redis::options_of(StoreUri::parse(server_uri("REDISS_STRANGER")))); });
  EXPECT_EQ(e.kind(), Trouble::refused);
  EXPECT_NE(std::string(e.what()).find("certificate"), std::string::npos) << e.what();
  auto options = redis_options("REDISS");
  options.tls->name = "elsewhere.example";
  EXPECT_EQ(trouble([&] { open_redis(options); }).kind(), Trouble::refused);
  options.tls->name = "localhost";
  EXPECT_EQ(open_redis(options)->name().substr(0, 9), "rediss://");
  options.tls->ca.clear();  // the system's authorities did not sign it
  EXPECT_EQ(trouble([&] { open_redis(options); }).kind(), Trouble::refused);
}

TEST(RedisTlsTrouble, PlainWordsToATlsPortAreUnavailable) {
  if (server_uri("REDISS").empty()) SANCHO_SKIP("there is no server with TLS: run it by tests/servers/with_server.py");
  auto options = redis_options("REDISS");
  options.tls.reset();
  EXPECT_EQ(trouble([&] { open_redis(options); }).kind(), Trouble::unavailable);
}

}  // namespace
}  // namespace sancho::test
