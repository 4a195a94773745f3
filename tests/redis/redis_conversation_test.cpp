// Conversations, played without a server: what is wished for, and what is made of
// the answers.
#include <gtest/gtest.h>

#include <deque>

#include "stores/redis/dealings.hpp"

namespace sancho::redis {
namespace {

// What happens to the exchanges, one after the other.
struct Happens {
  std::vector<Reply> replies = {};
  std::optional<Lost> lost = {};
};

Happens answers(Reply reply) { return {.replies = {std::move(reply)}}; }
Reply text(std::string words) { return {.kind = Reply::Kind::text, .text = std::move(words)}; }
Reply error(std::string words) { return {.kind = Reply::Kind::error, .text = std::move(words)}; }
Happens breaks(bool sent) { return {.lost = Lost{{"it broke", sent, false}, true, true}}; }

RedisOptions server() {
  RedisOptions o;
  o.addresses = {{"host", 1}};
  return o;
}

RedisOptions cluster() {
  auto o = server();
  o.deployment = RedisOptions::Deployment::cluster;
  return o;
}

// All slots at host:port.
Reply slots_at(std::int64_t port) {
  const auto number = [](std::int64_t n) { return Reply{.kind = Reply::Kind::number, .number = n}; };
  const auto list = [](std::vector<Reply> items) {
    return Reply{.kind = Reply::Kind::list, .items = std::move(items)};
  };
  return list({list({number(0), number(16383), list({text("host"), number(port)})})});
}

// A command is an array of texts, as a reply may be.
std::string first_word(const Wire& wire) {
  ReplyReader reader;
  reader.feed(wire.bytes);
  return reader.next().value().items.at(0).text;
}

// Says where each exchange went, and its first word.
template <class T>
T play(Conversation<T> talk, std::deque<Happens> script, std::vector<std::string>& log) {
  Floor floor(talk);
  while (const Wish* wish = floor.next()) {
    if (std::holds_alternative<Pause>(*wish)) {
      log.push_back("pause");
      continue;
    }
    const auto& exchange = std::get<Exchange>(*wish);
    log.push_back(std::to_string(exchange.to.port) + " " + first_word(exchange.what));
    if (script.empty()) throw std::logic_error("the script is too short");
    auto next = std::move(script.front());
    script.pop_front();
    if (next.lost)
      floor.fail(std::make_exception_ptr(*next.lost));
    else
      floor.answer(std::move(next.replies));
  }
  EXPECT_TRUE(script.empty()) << "less was asked";
  return talk.result();
}

using Log = std::vector<std::string>;
const Deadline later = Deadline::after(std::chrono::hours{1});
const Call reads{.words = {"GET", "k"}, .writes = false, .again = true};
const Call writes{.words = {"SET", "k", "v"}};

TEST(RedisConversation, AReadGoesAgainOverANewConnectionAndAWriteDoesNot) {
  Log log;
  Dealings dealings(server(), "redis://host");
  EXPECT_EQ(play(dealings.run(reads, later), {breaks(true), answers(text("v"))}, log).text, "v");
  EXPECT_EQ(log, (Log{"1 GET", "1 GET"}));
  try {
    play(dealings.run(writes, later), {breaks(true)}, log);
    ADD_FAILURE();
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::unavailable);
    EXPECT_TRUE(e.maybe_done());
    EXPECT_STREQ(e.what(), "redis://host: host:1: it broke");
  }
}

TEST(RedisConversation, AMovedSlotIsFollowedAndRemembered) {
  Log log;
  Dealings dealings(cluster(), "a cluster");
  EXPECT_EQ(play(dealings.run(writes, later),
                 {answers(slots_at(1)), answers(error("MOVED 0 host:2")), answers(text("ok"))}, log)
                .text,
            "ok");
  EXPECT_EQ(play(dealings.run(writes, later), {answers(text("ok"))}, log).text, "ok");
  EXPECT_EQ(log, (Log{"1 CLUSTER", "1 SET", "2 SET", "2 SET"}));
}

TEST(RedisConversation, ANodeThatHasGoneIsAskedAboutAndNotAskedAgain) {
  Log log;
  Dealings dealings(cluster(), "a cluster");
  const Happens gone{.lost = Lost{{"nobody is there", false, false}, false, false}};
  play(dealings.run(writes, later), {answers(slots_at(7)), gone, answers(slots_at(8)), answers(text("ok"))}, log);
  EXPECT_EQ(log, (Log{"1 CLUSTER", "7 SET", "pause", "7 CLUSTER", "8 SET"}));
}

TEST(RedisConversation, OfABatchWhatWasNotSettledGoesItsOwnWay) {
  Log log;
  Dealings dealings(server(), "redis://host");
  const std::vector<Call> calls(3, reads);
  const auto replies = play(dealings.run_all(calls, later),
                            {{.replies = {text("a"), error("LOADING it is"), text("c")}}, answers(text("b"))}, log);
  EXPECT_EQ(replies, (std::vector<Reply>{text("a"), text("b"), text("c")}));
  EXPECT_EQ(log, (Log{"1 GET", "1 GET"}));
}

TEST(RedisConversation, MayBeDroppedWhereverItStands) {
  Dealings dealings(server(), "redis://host");
  auto never_begun = dealings.run(writes, later);
  auto dropped = dealings.run(reads, later);
  Floor floor(dropped);
  EXPECT_TRUE(floor.next());
}

}  // namespace
}  // namespace sancho::redis
