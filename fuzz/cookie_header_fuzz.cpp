// The Cookie header, the first thing a stranger writes. The oracle is a naive
// reader, written from the rules and not from the code.
#include <cstdlib>
#include <string>
#include <vector>

#include "sancho/cookie.hpp"

namespace {
using Outcome = sancho::FoundCookie::Outcome;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string stripped(std::string text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// All values of a name, or nothing said if a limit is passed.
struct Naive {
  bool over = false;
  std::vector<std::string> values;
};

Naive read(const std::string& header, const std::string& name) {
  Naive answer;
  answer.over = header.size() > 16384;
  std::vector<std::string> pieces(1);
  for (const char c : header) {
    if (c == ';') pieces.emplace_back();
    else pieces.back() += c;
  }
  int pairs = 0;
  for (const auto& piece : pieces) {
    const auto pair = stripped(piece);
    if (!pair.empty()) ++pairs;
    if (pairs > 200 || pair.size() > 4097) answer.over = true;
    if (!name.empty() && pair.starts_with(name + "=")) answer.values.push_back(pair.substr(name.size() + 1));
  }
  return answer;
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void compare(const sancho::FoundCookie& found, const Naive& expected, std::string_view header) {
  require(inside(found.value, header));
  if (expected.over) return require(found.outcome == Outcome::over_limits);
  if (expected.values.empty()) return require(found.outcome == Outcome::absent);
  if (expected.values.size() > 1) return require(found.outcome == Outcome::ambiguous && found.value.empty());
  require(found.outcome == Outcome::found && found.value == expected.values.front());
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(reinterpret_cast<const char*>(data), size);
  const auto list = sancho::parse_cookies(header);
  require(list.size() <= sancho::max_cookie_pairs);
  for (const auto& cookie : list) require(!cookie.name.empty() && inside(cookie.name, header) && inside(cookie.value, header));
  for (const std::string name : {"__Host-Http-sid", "sid", "a", ""}) {
    const auto expected = read(header, name);
    compare(sancho::find_cookie(header, name), expected, header);
    compare(list.find(name), expected, header);
  }
  // Lines, cut where the first newline is, are their join.
  const auto cut = header.find('\n');
  if (cut == std::string::npos) return 0;
  const std::string_view lines[] = {std::string_view(header).substr(0, cut), std::string_view(header).substr(cut + 1)};
  const auto joined = std::string(lines[0]) + "; " + std::string(lines[1]);
  const auto one = sancho::find_cookie(lines, "sid"), other = sancho::find_cookie(joined, "sid");
  require(one.outcome == other.outcome && one.value == other.value);
  return 0;
}
