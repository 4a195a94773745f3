// Records as Redis keeps them: there and back, and no flipped bit unnoticed.
#include <gtest/gtest.h>

#include "sancho/error.hpp"
#include "stores/redis/value.hpp"

namespace sancho::redis {
namespace {

Record some_record() {
  Record r;
  r.version = {0xfedcba9876543210, 0xffffffffffffffff};
  r.state = State::moved;
  r.created = Time{Duration{-5}};
  r.accessed = Time{Duration{1'700'000'000'000}};
  r.idle = Duration{1'800'000};
  r.ends = Time{Duration{std::int64_t{1} << 53}};
  r.subject = std::string("a\0da", 4);
  r.handle = *Handle::parse("AAECAwQFBgcICQoL");
  r.payload = std::string("\r\n\0payload", 10);
  return r;
}

TEST(RedisValue, IsTheRecordAgain) {
  const auto record = some_record();
  EXPECT_EQ(record_of(value_of(record), "redis"), record);
  Record empty;
  empty.state = State::note;
  EXPECT_EQ(record_of(value_of(empty), "redis"), empty);
}

TEST(RedisValue, IsAsLongAsItsPartsAndTheHead) {
  const auto record = some_record();
  EXPECT_EQ(value_of(record).size(), value_head + record.subject.size() + record.payload.size());
  const auto head = head_of(value_of(record).substr(0, value_head));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->state, record.state);
  EXPECT_EQ(head->expires, record.expires());
}

TEST(RedisValue, IsCorruptWhateverBitFlips) {
  const auto value = value_of(some_record());
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    if (bit / 8 >= 8 && bit / 8 < 16) continue;  // the access time, which touches raise
    auto flipped = value;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    try {
      record_of(flipped, "redis");
      ADD_FAILURE() << "bit " << bit << " flipped, and nobody noticed";
    } catch (const StoreError& e) {
      EXPECT_EQ(e.kind(), Trouble::corrupt);
    }
  }
}

TEST(RedisValue, IsCorruptWhereverItIsCut) {
  const auto value = value_of(some_record());
  for (std::size_t size = 0; size < value.size(); ++size)
    EXPECT_THROW(record_of(value.substr(0, size), "redis"), StoreError);
  EXPECT_THROW(record_of(value + "x", "redis"), StoreError);
}

TEST(RedisValue, RefusesATimeThatScriptsCannotKeep) {
  auto record = some_record();
  record.ends += Duration{1};
  try {
    value_of(record);
    ADD_FAILURE() << "a time beyond 2^53 was accepted";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::refused);
  }
}

}  // namespace
}  // namespace sancho::redis
