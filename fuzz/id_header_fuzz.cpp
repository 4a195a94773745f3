// The header that carries an id. The oracle is written from the rules: an id is
// found exactly where one line, put together from it again, is what came.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "sancho/id.hpp"
#include "sancho/transport.hpp"

namespace {
using Outcome = sancho::FoundId::Outcome;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string stripped(const std::string& text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

bool visible(const std::string& text) {
  for (const char c : text)
    if (c <= ' ' || c == ',' || c >= '\x7f') return false;  // whether `char` has a sign or not
  return !text.empty();
}

// ASCII's letters alone have a case here.
bool same_word(const std::string& a, const std::string& b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

void check(const std::vector<std::string>& lines, const std::string& scheme) {
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  const auto found = sancho::find_id(views, scheme);
  require((found.outcome == Outcome::absent) == lines.empty());
  require((found.outcome == Outcome::ambiguous) == (lines.size() > 1));
  if (lines.size() != 1) return require(found.value.empty());
  const auto text = stripped(lines.front()), before = scheme.empty() ? "" : scheme + " ";
  const auto rest = same_word(text.substr(0, before.size()), before) ? text.substr(before.size()) : "";
  require((found.outcome == Outcome::found) == visible(rest));
  require(found.value == (visible(rest) ? rest : ""));
  // What is an id behind it is nothing else.
  if (const auto id = sancho::SessionId::parse(found.value)) require(id->reveal() == rest);
}
}  // namespace

// Lines end with a newline; what is behind the last one is the last line, if
// there is anything.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] != '\n') {
      line += static_cast<char>(data[i]);
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  if (!line.empty()) lines.push_back(line);
  check(lines, "Bearer");
  check(lines, "");
  return 0;
}
