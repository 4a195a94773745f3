// The header that carries an id: what is one, and what is not.
#include "sancho/transport.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace sancho {
namespace {
using enum FoundId::Outcome;

FoundId find(const std::vector<std::string_view>& lines, std::string_view scheme = "Bearer") { return find_id(lines, scheme); }

TEST(FindId, IsTheSchemeOneSpaceAndTheRest) {
  const auto found = find({"Bearer abc-_123"});
  EXPECT_EQ(found.outcome, FoundId::Outcome::found);
  EXPECT_EQ(found.value, "abc-_123");
  EXPECT_EQ(find({" \tBearer abc\t "}).value, "abc");
  EXPECT_EQ(find({"bearer Abc"}).value, "Abc");
  EXPECT_EQ(find({"BEARER Abc"}).value, "Abc");
  EXPECT_EQ(find({"abc"}, "").value, "abc");
  EXPECT_EQ(find({"\t abc "}, "").value, "abc");
}

TEST(FindId, NoLineIsNoId) { EXPECT_EQ(find({}).outcome, absent); }

TEST(FindId, SeveralLinesAreNoneWhateverTheyAre) {
  EXPECT_EQ(find({"Bearer abc", "Bearer abc"}).outcome, ambiguous);
  EXPECT_EQ(find({"Bearer abc", ""}).outcome, ambiguous);
  EXPECT_EQ(find({"Basic YTpi", "Bearer abc"}).outcome, ambiguous);
  EXPECT_EQ(find({"abc", "abc"}, "").outcome, ambiguous);
}

TEST(FindId, NothingIsRepaired) {
  using namespace std::string_view_literals;
  for (const auto line : {""sv, " "sv, "Bearer"sv, "Bearer "sv, "Bearer  abc"sv, "Bearer\tabc"sv, "Bearerabc"sv,
                          "Bearer abc def"sv, "Bearer abc,"sv, "Bearer a,Bearer b"sv, "Bearer abc, Bearer abc"sv, "Basic YTpi"sv,
                          "Basic Bearer abc"sv, "Bearer ab\0c"sv, "Bearer ab\x7f"sv, "Bearer ab\xc3\xa9"sv, "Bearer ab\r\nX: y"sv, "\vBearer abc"sv,
                          "abc"sv, "Bearer=abc"sv, "Bearer: abc"sv})
    EXPECT_EQ(find({line}).outcome, malformed) << line;
  for (const auto line : {""sv, "\t"sv, "a b"sv, "a,b"sv, "a\0b"sv, "\xe2\x80\x80"sv}) EXPECT_EQ(find({line}, "").outcome, malformed) << line;
}

TEST(TransportOptions, AreACookieUnlessAHeaderIsNamed) {
  EXPECT_TRUE(Transport{}.by_cookie());
  EXPECT_EQ(Transport::cookie(), Transport{});
  EXPECT_FALSE(Transport::bearer().by_cookie());
  for (const auto& good : {Transport{}, Transport::bearer(), Transport::bearer("X-Token"), Transport::header(), Transport::header("Shop-1")})
    EXPECT_NO_THROW(good.check());
}

}  // namespace
}  // namespace sancho
