#include "stores/redis/judgement.hpp"

#include <charconv>

namespace sancho::redis {

namespace {

struct Rule {
  std::string_view word;
  Meaning meaning;
  Trouble kind;
  std::string_view advice;
};

constexpr Rule rules[] = {
    {"NOSCRIPT", Meaning::script, Trouble::unavailable, ""},
    {"TRYAGAIN", Meaning::wait, Trouble::unavailable, ""},
    {"LOADING", Meaning::wait, Trouble::unavailable, ""},
    {"BUSY", Meaning::wait, Trouble::unavailable, "a script of somebody's runs for long"},
    {"NOREPLICAS", Meaning::wait, Trouble::unavailable, "see min-replicas-to-write"},
    {"CLUSTERDOWN", Meaning::relearn, Trouble::unavailable, "see that a master has every slot"},
    {"MASTERDOWN", Meaning::relearn, Trouble::unavailable, ""},
    {"READONLY", Meaning::relearn, Trouble::unavailable, "it is a replica: name the master, or the sentinels"},
    {"OOM", Meaning::trouble, Trouble::full, "raise maxmemory"},
    {"NOAUTH", Meaning::trouble, Trouble::refused, "put user and password into the URI"},
    {"WRONGPASS", Meaning::trouble, Trouble::refused, "see user and password in the URI"},
    {"NOPERM", Meaning::trouble, Trouble::refused, "docs/stores/redis.md lists the rights that the user needs"},
    {"WRONGTYPE", Meaning::trouble, Trouble::corrupt, "a key of ours is of another type"},
};

// An unknown command is repeated with its arguments, which are keys.
std::string without_arguments(std::string_view error) {
  return std::string(error.substr(0, error.find(", with args")));
}

std::string_view word_after(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

// "MOVED 3999 host:port", and for ASK the same.
std::optional<Judgement> redirection(Meaning meaning, std::string_view error) {
  std::string_view rest = error;
  word_after(rest);
  const auto slot = word_after(rest), where = word_after(rest);
  Judgement j{.meaning = meaning, .text = std::string(error.substr(0, error.find(' ')))};
  const auto number = [](std::string_view text, auto& value) {
    const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    return bad == std::errc{} && stop == text.data() + text.size();
  };
  const auto colon = where.rfind(':');
  if (colon == where.npos || !number(slot, j.slot) || j.slot >= slot_count) return std::nullopt;
  if (!number(where.substr(colon + 1), j.where.port)) return std::nullopt;
  j.where.host = where.substr(0, colon);
  return j;
}

}  // namespace

Judgement judge(std::string_view error) {
  const auto word = error.substr(0, error.find(' '));
  const auto text = without_arguments(error);
  if (word == "MOVED" || word == "ASK")
    return redirection(word == "MOVED" ? Meaning::moved : Meaning::ask, error).value_or(Judgement{.text = text});
  if (word == "MISCONF") {
    const bool full = error.find("No space left") != error.npos;
    return {.kind = full ? Trouble::full : Trouble::unavailable, .text = text};
  }
  for (const auto& rule : rules) {
    if (rule.word != word) continue;
    const auto advice = rule.advice.empty() ? std::string() : " (" + std::string(rule.advice) + ")";
    return {.meaning = rule.meaning, .kind = rule.kind, .text = text + advice};
  }
  const bool no_password = error.find("without any password configured") != error.npos;
  const bool refused = no_password || error.starts_with("ERR unknown command") || error.starts_with("ERR DB index");
  return {.kind = refused ? Trouble::refused : Trouble::unavailable, .text = text};
}

}  // namespace sancho::redis
