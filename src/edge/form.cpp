#include "sancho/form.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace sancho {

namespace {

int digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool two_follow = text[i] == '%' && i + 2 < text.size();
    const int high = two_follow ? digit(text[i + 1]) : -1, low = two_follow ? digit(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> form_field(std::string_view fields, std::string_view name) {
  while (!fields.empty()) {
    const auto end = std::min(fields.find('&'), fields.size());
    const auto pair = fields.substr(0, end);
    fields.remove_prefix(std::min(end + 1, fields.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (decoded(pair.substr(0, equals)) == name) return decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

bool is_form(std::string_view content_type) noexcept {
  return same_ignoring_case(trim_blank(content_type.substr(0, content_type.find(';'))),
                            "application/x-www-form-urlencoded");
}

}  // namespace sancho
