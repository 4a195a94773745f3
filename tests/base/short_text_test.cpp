#include "base/short_text.hpp"

#include <gtest/gtest.h>

#include <string>

using sancho::find_byte;
using sancho::same_bytes;

// In memory of just its size, so that a look beyond it is seen.
TEST(ShortText, TheFirstOfABytesPlacesIsFoundInTextsOfEveryLength) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string none(size, 'x');
    EXPECT_EQ(find_byte(none, ';'), std::string::npos) << size;
    for (std::size_t first = 0; first < size; ++first)
      for (const auto second : {first, size - 1}) {
        auto text = none;
        text[first] = text[second] = ';';
        EXPECT_EQ(find_byte(text, ';'), first) << size << ' ' << second;
      }
  }
}

TEST(ShortText, EachByteOfTwoTextsIsCompared) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string one(size, 'x');
    auto other = one;
    EXPECT_TRUE(same_bytes(one.data(), other.data(), size)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      other[at] = 'y';
      EXPECT_FALSE(same_bytes(one.data(), other.data(), size)) << size << ' ' << at;
      EXPECT_TRUE(same_bytes(one.data(), other.data(), at)) << "what lies behind does not count";
      other[at] = 'x';
    }
  }
}
