#include "stores/uri.hpp"

#include <algorithm>
#include <charconv>

#include "sancho/error.hpp"

namespace sancho {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[noreturn]] void refuse(std::string_view uri, const std::string& why) {
  throw ConfigError("store URI '" + redacted(uri) + "': " + why);
}

std::string scheme_of(std::string_view text) {
  const auto colon = text.find(':');
  std::string scheme(text.substr(0, colon == text.npos ? 0 : colon));
  const auto is_scheme_char = [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  if (scheme.empty() || !is_letter(scheme[0]) || !std::all_of(scheme.begin(), scheme.end(), is_scheme_char))
    refuse(text, "it must begin with the kind of store and a colon, such as sqlite:sessions.db");
  for (auto& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return scheme;
}

std::map<std::string, std::string> options_of(std::string_view query, std::string_view whole) {
  std::map<std::string, std::string> options;
  for (bool more = true; more;) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    more = end != query.npos;
    if (more) query.remove_prefix(end + 1);
    const auto equals = pair.find('=');
    if (equals == 0 || equals == pair.npos) refuse(whole, "behind the ? stand options, name=value joined by &");
    const auto name = percent_decoded(pair.substr(0, equals), whole);
    if (!options.emplace(name, percent_decoded(pair.substr(equals + 1), whole)).second)
      refuse(whole, "an option is given twice: keep one of them");
  }
  return options;
}

}  // namespace

std::string percent_decoded(std::string_view text, std::string_view whole) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse(whole, "a % is not followed by two hexadecimal digits; write a plain % as %25");
    if (high == 0 && low == 0) refuse(whole, "it contains %00, which no name can");
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

StoreUri StoreUri::parse(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control))
    refuse(text, "it contains a control character; percent-encode what belongs to a name");
  StoreUri uri;
  uri.scheme = scheme_of(text);
  auto rest = text.substr(uri.scheme.size() + 1);
  if (rest.find('#') != rest.npos) refuse(text, "a store URI has no fragment; write a # in a name as %23");
  if (const auto mark = rest.find('?'); mark != rest.npos) {
    uri.options = options_of(rest.substr(mark + 1), text);
    rest = rest.substr(0, mark);
  }
  if (rest.substr(0, 2) == "//") {
    rest.remove_prefix(2);
    const auto slash = std::min(rest.find('/'), rest.size());
    uri.authority = rest.substr(0, slash);
    rest.remove_prefix(slash);
  }
  uri.path = percent_decoded(rest, text);
  return uri;
}

// The last `@` counts, wherever it stands: a password with a stray slash or
// question mark in it must not show either. The price is that a path with an
// `@` is shown shortened.
std::string redacted(std::string_view uri) {
  std::string shown;
  if (const auto at = uri.rfind('@'); at != uri.npos) {
    const auto colon = std::min(uri.find(':'), at);
    const bool slashes = uri.substr(colon, 3) == "://";
    shown = std::string(uri.substr(0, colon)) + (slashes ? "://***" : ":***");
    uri.remove_prefix(at);
  }
  shown += uri.substr(0, uri.find('?'));
  for (auto& c : shown) c = is_control(c) ? '?' : c;
  return shown;
}

// ## Options

bool OptionReader::take(const std::string& name, std::string& text) {
  known_ += (known_.empty() ? "" : ", ") + name;
  const auto found = left_.find(name);
  if (found == left_.end()) return false;
  text = found->second;
  left_.erase(found);
  return true;
}

std::uint64_t OptionReader::number(const std::string& name, std::uint64_t least, std::uint64_t most, std::uint64_t fallback) {
  std::string text;
  if (!take(name, text)) return fallback;
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < least || value > most)
    refuse(name, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

std::string OptionReader::text(const std::string& name, std::string fallback) {
  std::string text;
  return take(name, text) ? text : fallback;
}

Duration OptionReader::duration(const std::string& name, Duration least, Duration most, Duration fallback) {
  const auto as_number = [](Duration d) { return static_cast<std::uint64_t>(d.count()); };
  return Duration(number(name, as_number(least), as_number(most), as_number(fallback)));
}

std::string OptionReader::name_space() {
  const auto name = text("namespace");
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; };
  if (name.size() > 32 || !std::all_of(name.begin(), name.end(), fits))
    refuse("namespace", "of at most 32 letters a-z, digits and _");
  return name;
}

void OptionReader::finish() const {
  if (!left_.empty())
    throw ConfigError(scheme_ + ": has no option '" + redacted(left_.begin()->first) + "'; it has " + (known_.empty() ? "none" : known_));
}

void OptionReader::refuse(const std::string& name, const std::string& expected) const {
  throw ConfigError(scheme_ + ": option '" + name + "' must be " + expected);
}

}  // namespace sancho
