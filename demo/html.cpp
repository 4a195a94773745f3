#include "html.hpp"

#include <fmt/format.h>

namespace demo {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string hidden(std::string_view name, std::string_view value) {
  return fmt::format(R"(<input type="hidden" name="{}" value="{}">)", escape(name), escape(value));
}

std::string form(std::string_view action, std::string_view csrf, std::string_view inside, std::string_view classes) {
  return fmt::format(R"(<form method="post" action="{}" class="{}">{}{})"
                     "</form>",
                     escape(action), escape(classes), hidden("csrf", csrf), inside);
}

}  // namespace demo
