// Fields of forms.
#include "sancho/form.hpp"

#include <gtest/gtest.h>

namespace sancho {
namespace {

TEST(FormField, IsDecodedAndTheFirstOfItsName) {
  const std::string_view fields = "a=1&b=x%20y+z&&c&%61b=2&a=9&e=%C3%a9&f=&=g&d=%zz%4";
  EXPECT_EQ(form_field(fields, "a"), "1");
  EXPECT_EQ(form_field(fields, "b"), "x y z");
  EXPECT_EQ(form_field(fields, "c"), "");
  EXPECT_EQ(form_field(fields, "ab"), "2");
  EXPECT_EQ(form_field(fields, "e"), "\xc3\xa9");
  EXPECT_EQ(form_field(fields, "f"), "");
  EXPECT_EQ(form_field(fields, "d"), "%zz%4");
  EXPECT_EQ(form_field(fields, "g"), std::nullopt);
  EXPECT_EQ(form_field("a%3D1=2", "a"), std::nullopt);
  EXPECT_EQ(form_field("", "a"), std::nullopt);
}

TEST(FormField, AnEscapeAtTheVeryEndIsOne) { EXPECT_EQ(form_field("a=%41", "a"), "A"); }

TEST(IsForm, IsSaidByTheWholeType) {
  for (const auto* type : {"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8", " application/x-www-form-urlencoded\t"})
    EXPECT_TRUE(is_form(type)) << type;
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencodedly", "text/plain; application/x-www-form-urlencoded"})
    EXPECT_FALSE(is_form(type)) << type;
}

}  // namespace
}  // namespace sancho
