// Replies are read where they lie, if they are there as a whole, and by hiredis
// otherwise: nobody may be able to tell which of the two it was.
#include <gtest/gtest.h>

#include <random>

#include "sancho/random.hpp"
#include "stores/redis/calls.hpp"
#include "stores/redis/reply.hpp"
#include "stores/redis/slot.hpp"

namespace sancho::redis {
namespace {

// What comes of bytes that arrive in pieces of so many; behind it, why there is no
// more to be had.
struct Read {
  std::vector<Reply> replies;
  bool broken = false;
  bool operator==(const Read&) const = default;
};

Read read_in_pieces(std::string_view bytes, std::size_t piece) {
  Read read;
  ReplyReader reader;
  try {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
      reader.feed(std::string(bytes.substr(0, piece)));  // which is gone when the replies are read
      while (auto reply = reader.next()) read.replies.push_back(*std::move(reply));
    }
  } catch (const ProtocolError&) {
    read.broken = true;
  }
  return read;
}

class Maker {
 public:
  explicit Maker(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }

  std::string reply(int depth) {
    switch (below(depth < 6 ? 9 : 7)) {
      case 0: return "+OK " + std::to_string(below(100)) + "\r\n";
      case 1: return "-ERR no\r\n";
      case 2: return ":" + std::to_string(static_cast<std::int64_t>(engine_())) + "\r\n";
      case 3: return "$-1\r\n";
      case 4: return "*-1\r\n";
      case 5: return ":" + std::to_string(below(3)) + "\r\n";
      case 6: return text();
      default: {
        const auto size = below(4);
        auto list = "*" + std::to_string(size) + "\r\n";
        for (std::size_t i = 0; i < size; ++i) list += reply(depth + 1);
        return list;
      }
    }
  }

 private:
  std::string text() {
    std::string bytes(below(50) == 0 ? below(70000) : below(40), '\0');
    for (auto& each : bytes) each = "\r\n$*+0x"[below(8)];
    return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
  }
  std::mt19937_64 engine_;
};

TEST(RedisReplies, AreTheSameHoweverTheyArrive) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Maker make(seed);
    std::string bytes;
    for (int i = 0; i < 20; ++i) bytes += make.reply(0);
    const auto piecemeal = read_in_pieces(bytes, 1);
    EXPECT_FALSE(piecemeal.broken);
    EXPECT_EQ(piecemeal.replies.size(), 20u);
    for (const auto piece : {bytes.size(), std::size_t{16384}, 1 + make.below(bytes.size()), 1 + make.below(64)})
      EXPECT_EQ(read_in_pieces(bytes, piece), piecemeal) << "seed " << seed << ", pieces of " << piece;
  }
}

// A byte is lost, turns up or is another one. What was read by then counts; and what
// is no protocol for one is none for the other.
TEST(RedisReplies, ThatAreDamagedAreTheSameHoweverTheyArrive) {
  std::size_t broken = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Maker make(seed);
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += make.reply(3);
    const auto at = make.below(bytes.size());
    const char other = "\r\n$*+:-01"[make.below(9)];
    if (const auto how = make.below(3); how == 0)
      bytes.erase(at, 1);
    else if (how == 1)
      bytes.insert(at, 1, other);
    else
      bytes[at] = other;
    const auto piecemeal = read_in_pieces(bytes, 1);
    broken += piecemeal.broken;
    EXPECT_EQ(read_in_pieces(bytes, bytes.size()), piecemeal) << "seed " << seed;
  }
  EXPECT_GT(broken, 100u);
}

TEST(RedisCalls, ALoadIsWrittenInPlaceAsItIsInAWire) {
  for (const auto keep : {Duration::zero(), Duration{5000}}) {
    for (const std::string name_space : {"", "shop", "a_name_space_of_thirty_two_chars"}) {
      const Calls calls("a store", name_space, keep);
      for (const auto tag : {std::optional<std::uint32_t>{}, std::optional<std::uint32_t>{0xa1b2c3}}) {
        const auto key = SessionKey::of("shop", SessionId::draw(system_random(), tag));
        const auto call = calls.load(calls.keys().record(key));
        Wire wire;
        call.put_into(wire, false);
        std::array<char, 192> room;
        EXPECT_EQ(calls.put_load(key, room), wire.bytes);
        EXPECT_EQ(calls.put_load(key, std::span(room).first(wire.bytes.size() - 1)), "");
        EXPECT_EQ(calls.keys().slot(key), call.slot);
      }
    }
  }
}

TEST(RedisReply, AReaderIsEmptyWhereNothingIsLeftNotEvenAPart) {
  ReplyReader reader;
  EXPECT_TRUE(reader.empty());
  for (const std::string_view part : {"+OK\r\n", "$5\r\nhel", "lo\r\n", "*2\r\n:1\r\n:2\r\n"}) {
    reader.feed(part);
    EXPECT_FALSE(reader.empty());
    while (reader.next()) {
    }
    EXPECT_EQ(reader.empty(), part != "$5\r\nhel");
  }
  reader.feed("+OK\r\n+surplus\r\n");
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.empty());
}

}  // namespace
}  // namespace sancho::redis
