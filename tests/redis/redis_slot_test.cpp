// Which slot a key has: known answers, and the names that we choose by them.
#include <gtest/gtest.h>

#include "stores/redis/keys.hpp"
#include "stores/redis/slot.hpp"

namespace sancho::redis {
namespace {

// From the Redis Cluster specification, and CLUSTER KEYSLOT of Redis 7.
TEST(RedisSlots, AreThoseOfTheSpecification) {
  EXPECT_EQ(crc16("123456789"), 0x31c3);
  const struct {
    std::string_view key;
    Slot slot;
  } rows[] = {
      {"", 0},
      {"foo", 12182},
      {"bar", 5061},
      {"hello", 866},
      {"{foo}bar", 12182},
      {"x{bar}y{foo}", 5061},
      {"{}foo", 9500},
      {"foo{", 7673},
      {"foo{}{bar}", 8363},
      {"foo{{bar}}zap", 4015},
      {"foo{bar}{zap}", 5061},
      {"{user1000}.following", 3443},
  };
  for (const auto& row : rows) EXPECT_EQ(slot_of(row.key), row.slot) << row.key;
}

TEST(RedisSlots, EachHasATag) {
  const auto tags = tags_by_slot();
  ASSERT_EQ(tags.size(), slot_count);
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    EXPECT_LT(tags[slot], 1u << 24);
    EXPECT_EQ(slot_of("any:{" + tag_text(tags[slot]) + "}:e"), slot);
  }
}

TEST(RedisKeys, OfOneSubjectAreInOneSlot) {
  const Keys keys("shop");
  const auto place = place_of("ada", std::string(32, 's'));
  const auto id = SessionId::draw(system_random(), place.tag);
  const auto record = keys.record(SessionKey::of("shop", id));
  for (const auto& other : {keys.index(place), keys.epoch(place), keys.everyone(place.tag)})
    EXPECT_EQ(slot_of(other), slot_of(record));
}

TEST(RedisKeys, NameTheirSession) {
  const Keys keys("shop");
  for (const auto tag : {std::optional<std::uint32_t>{}, std::optional<std::uint32_t>{0xa1b2c3}}) {
    const auto key = SessionKey::of("shop", SessionId::draw(system_random(), tag));
    const auto name = keys.record(key);
    const auto found = keys.session(name);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, key);
    EXPECT_EQ(found->tag(), tag);
    EXPECT_EQ(keys.record(*found), name);
    EXPECT_FALSE(Keys("shop2").session(name));
    EXPECT_FALSE(Keys("").session(name));
    EXPECT_FALSE(keys.session(name + "x"));
  }
  EXPECT_FALSE(keys.session(keys.meta()));
}

TEST(RedisKeys, SubjectsAreApartAndFollowFromTheSecret) {
  const std::string secret(32, 's'), other(32, 't');
  EXPECT_EQ(place_of("ada", secret).name, place_of("ada", secret).name);
  EXPECT_NE(place_of("ada", secret).name, place_of("eve", secret).name);
  EXPECT_NE(place_of("ada", secret).name, place_of("ada", other).name);
}

}  // namespace
}  // namespace sancho::redis
