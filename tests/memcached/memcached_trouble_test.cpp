// Servers that do not answer, that answer too slowly, and that answer something
// else.
#include <sys/time.h>

#include <functional>

#include "fake_server.hpp"
#include "memcached_fixture.hpp"

namespace sancho::memcached_test {
namespace {

class MemcachedTrouble : public MemcachedTest {
 protected:
  SessionKey key = key_of("session");

  // Every verb, by a deadline.
  std::vector<std::function<void(Deadline)>> verbs(SessionStore& store) const {
    return {[&, this](Deadline d) { store.load(key, d); }, [&, this](Deadline d) { store.create(key, record(), d); },
            [&, this](Deadline d) {
              store.commit(key, {7, 1}, record("next", 2), d);
            },
            [&, this](Deadline d) { store.touch(key, 7, clock.now() + 1s, d); },
            [&, this](Deadline d) { store.erase(key, std::nullopt, d); }};
  }
  // Each verb fails as *unavailable*, at its deadline and not much later.
  void expect_in_time(SessionStore& store, std::chrono::milliseconds patience) {
    for (const auto& verb : verbs(store)) {
      const auto start = Deadline::Steady::now();
      EXPECT_EQ(trouble_of([&] { verb(Deadline::after(patience)); }).kind(), Trouble::unavailable);
      EXPECT_LT(Deadline::Steady::now() - start, patience + 2s);
    }
  }
  static std::string as_item(const SessionKey& key, const Record& r) {
    const auto value = encode_record(r);
    return "VALUE " + item_of(key) + " 0 " + std::to_string(value.size()) + " 5\r\n" + value + "\r\nEND\r\n";
  }
};

TEST_F(MemcachedTrouble, AFrozenServerHoldsNobodyBeyondTheDeadline) {
  Server server;
  const auto used = open(server), fresh = open(server);
  put(*used, key, record());
  server.freeze();
  expect_in_time(*used, 100ms);
  expect_in_time(*fresh, 100ms);
  const auto start = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { open(server, {.open_timeout = 100ms}); }).kind(), Trouble::unavailable);
  EXPECT_LT(Deadline::Steady::now() - start, 2s);
  server.thaw();
  EXPECT_EQ(used->load(key, soon()), record());
}

TEST_F(MemcachedTrouble, AnAnswerThatCameTooLateAnswersNoOtherQuestion) {
  Server server;
  const auto store = open(server, {.connections = 1});
  const auto one = key_of("one"), other = key_of("other");
  put(*store, one, record("one"));
  put(*store, other, record("other"));
  for (int round = 0; round < 20; ++round) {
    server.freeze();
    EXPECT_EQ(trouble_of([&] { store->load(one, Deadline::after(5ms)); }).kind(), Trouble::unavailable);
    server.thaw();
    EXPECT_EQ(store->load(other, soon())->payload, "other");
  }
}

TEST_F(MemcachedTrouble, ADripDoesNotStretchTheDeadline) {
  const FakeServer server([&](const std::string&) { return as_item(key, record(std::string(2000, 'x'))); }, 20ms);
  const auto store = open(server.port());
  expect_in_time(*store, 100ms);
}

TEST_F(MemcachedTrouble, SignalsDoNotStretchTheDeadline) {
  Server server;
  const auto store = open(server);
  server.freeze();
  struct sigaction quiet {
  }, before{};
  quiet.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &quiet, &before), 0);
  const itimerval storm{.it_interval = {.tv_sec = 0, .tv_usec = 3000}, .it_value = {.tv_sec = 0, .tv_usec = 3000}},
      calm{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &storm, nullptr), 0);
  expect_in_time(*store, 150ms);
  ::setitimer(ITIMER_REAL, &calm, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST_F(MemcachedTrouble, ADeadlineThatHasPassedSendsNothing) {
  const Server server;
  const auto store = open(server);
  for (const auto& verb : verbs(*store)) {
    const auto trouble = trouble_of([&] { verb(Deadline::after(-1ms)); });
    EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    EXPECT_FALSE(trouble.maybe_done());
  }
  EXPECT_EQ(Raw(server.port()).statistic("cmd_get"), 0);
}

// ## Lost answers

TEST_F(MemcachedTrouble, AWriteWhoseAnswerIsLostMayHaveBeenDone) {
  for (const std::string& answer : {std::string(), std::string(1, '\0'), std::string("STOR")}) {
    const FakeServer server([&](const std::string& asked) {
      if (asked.starts_with("gets")) return as_item(key, record());
      return answer;
    });
    const auto store = open(server.port());
    const auto trouble = trouble_of([&] { store->commit(key, {7, 1}, record("next", 2), Deadline::after(100ms)); });
    EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    EXPECT_TRUE(trouble.maybe_done());
    EXPECT_EQ(server.connections(), 1) << "the number of an item means nothing on another connection";
  }
}

TEST_F(MemcachedTrouble, AReadWhoseAnswerIsLostDidNothing) {
  const FakeServer server([&](const std::string&) { return std::string(1, '\0'); });
  const auto store = open(server.port());
  for (const auto& verb : verbs(*store)) {
    const auto trouble = trouble_of([&] { verb(soon()); });
    EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    EXPECT_FALSE(trouble.maybe_done());
  }
}

TEST_F(MemcachedTrouble, OthersWhoAreAlwaysQuickerAreContention) {
  const FakeServer server([&](const std::string& asked) {
    return asked.starts_with("gets") ? as_item(key, record()) : std::string("EXISTS\r\n");
  });
  const auto store = open(server.port());
  // An attempt that a busy machine holds up may be overtaken by the deadline.
  // Then nobody knows, and says so.
  bool contention = false;
  for (int round = 0; round < 50 && !contention; ++round) {
    const auto trouble =
        trouble_of([&] { store->commit(key, {7, 1}, record("next", 2), Deadline::after(100ms)); });
    contention = trouble.kind() == Trouble::contention;
    EXPECT_TRUE(contention ? !trouble.maybe_done() : trouble.kind() == Trouble::unavailable) << trouble.what();
  }
  EXPECT_TRUE(contention);
}

// ## Answers to something else

TEST_F(MemcachedTrouble, AnAnswerThatIsNoneEndsTheConnectionAndNothingElse) {
  const auto item = as_item(key, record());
  const std::vector<std::string> odd{"OK\r\n",
                                     "DELETED\r\n",
                                     "7\r\n",
                                     "\r\n",
                                     "GARBAGE\r\n",
                                     "ERROR\r\n",
                                     "SERVER_ERROR\r\n",
                                     "CLIENT_ERROR bad\r\n",
                                     "STAT a b\r\n",
                                     "VERSION 1\r\n",
                                     "TOUCHED\r\n",
                                     "VALUE\r\n",
                                     "VALUE x 0 1 5\r\nx\r\nEND\r\n",
                                     "VALUE " + item_of(key) + " 0 99999999999999999999 5\r\n",
                                     "VALUE " + item_of(key) + " 0 -1 5\r\n",
                                     "VALUE " + item_of(key) + " 0 2000000 5\r\n",
                                     "VALUE " + item_of(key) + " 0 1\r\nx\r\nEND\r\n",
                                     "VALUE " + item_of(key) + " 0 1 5\r\nxyz\r\nEND\r\n",
                                     item.substr(0, item.size() - 5) + item,
                                     std::string(5000, 'x')};
  for (const auto& answer : odd) {
    SCOPED_TRACE(answer.substr(0, 60));
    const FakeServer reading([&](const std::string&) { return answer; });
    const auto reader = open(reading.port());
    EXPECT_EQ(trouble_of([&] { reader->load(key, soon()); }).kind(), Trouble::unavailable);
    const FakeServer writing([&](const std::string& asked) { return asked.starts_with("gets") ? item : answer; });
    const auto writer = open(writing.port());
    const auto trouble = trouble_of([&] { writer->commit(key, {7, 1}, record("next", 2), soon()); });
    EXPECT_EQ(trouble.kind(), Trouble::unavailable);
    EXPECT_TRUE(trouble.maybe_done()) << "nobody knows what it did";
    const auto before = writing.connections();
    EXPECT_EQ(writer->load(key, soon()), record());
    EXPECT_EQ(writing.connections(), before + 1) << "the connection was used again";
  }
}

TEST_F(MemcachedTrouble, NoMessageHoldsAKey) {
  Server server;
  const auto store = open(server);
  server.kill();
  for (const auto& verb : verbs(*store)) {
    const auto trouble = trouble_of([&] { verb(soon()); });
    EXPECT_EQ(std::string(trouble.what()).find(key.hex()), std::string::npos) << trouble.what();
  }
}

}  // namespace
}  // namespace sancho::memcached_test
