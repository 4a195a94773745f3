// # Store URIs
//
//     scheme : [ "//" authority ] path [ "?" name "=" value { "&" name "=" value } ]
//
// The part of RFC 3986 that naming a store needs, read strictly: what is not
// understood is refused with a message that says what to change, and no message
// holds what stands before an `@`, where passwords are.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sancho/time.hpp"

namespace sancho {

struct StoreUri {
  std::string scheme;                          // lower case
  std::string authority;                       // as written: `user:password@host:port`
  std::string path;                            // percent-decoded
  std::map<std::string, std::string> options;  // percent-decoded

  // Throws `ConfigError`.
  static StoreUri parse(std::string_view text);
};

// `whole` is the URI that a message about it shows. Throws `ConfigError`.
std::string percent_decoded(std::string_view text, std::string_view whole);

// The URI as a message may show it: what stands before an `@` is replaced by
// `***`, options are left out, and control characters are replaced by `?`.
// Works on text that is no URI too.
std::string redacted(std::string_view uri);

// Takes options one by one; what nobody took by `finish` is unknown and refused.
class OptionReader {
 public:
  explicit OptionReader(const StoreUri& uri) : scheme_(uri.scheme), left_(uri.options) {}

  // One of the words, or `fallback` where the option is absent. `words` maps
  // each to its value. Throws `ConfigError`.
  template <class T>
  T word(const std::string& name, const std::map<std::string, T>& words, T fallback) {
    std::string text;
    if (!take(name, text)) return fallback;
    if (const auto found = words.find(text); found != words.end()) return found->second;
    std::string choice;
    for (const auto& [each, value] : words) choice += (choice.empty() ? "" : " or ") + each;
    refuse(name, choice);
  }

  // A decimal number within the bounds, or `fallback` where absent.
  std::uint64_t number(const std::string& name, std::uint64_t least, std::uint64_t most, std::uint64_t fallback);

  // Any text, or `fallback` where the option is absent.
  std::string text(const std::string& name, std::string fallback = {});

  // A span of time in milliseconds, within the bounds, or `fallback`.
  Duration duration(const std::string& name, Duration least, Duration most, Duration fallback);

  // What keeps applications that share an engine apart (`namespace`): up to 32
  // of a-z, 0-9 and _; empty where absent.
  std::string name_space();

  // What nobody has taken yet: for a driver that has options of its own. They
  // count as taken.
  std::map<std::string, std::string> rest() { return std::exchange(left_, {}); }

  // Throws `ConfigError` if an option is left over.
  void finish() const;

 private:
  bool take(const std::string& name, std::string& text);
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;

  std::string scheme_;
  std::map<std::string, std::string> left_;
  std::string known_;  // the names that were asked for
};

}  // namespace sancho
