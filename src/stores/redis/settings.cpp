#include "stores/redis/settings.hpp"

#include <charconv>
#include <map>
#include <string>

namespace sancho::redis {

namespace {

// The value of `name:value` in a line of its own.
std::string_view field(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; (at = info.find(name, at)) != info.npos; at += name.size()) {
    const auto end = at + name.size();
    if ((at > 0 && info[at - 1] != '\n') || end >= info.size() || info[end] != ':') continue;
    const auto value = info.substr(end + 1);
    return value.substr(0, value.find_first_of("\r\n"));
  }
  return {};
}

bool never_evicts(std::string_view maxmemory, std::string_view policy) {
  return maxmemory == "0" || policy == "noeviction";
}

}  // namespace

Command settings_question() {
  return {"CONFIG", "GET", "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory", "maxmemory-policy"};
}

std::vector<Command> replayed_commands(const std::string& key) {
  return {{"SET", key, "x"},
          {"SETRANGE", key, "0", "x"},
          {"PEXPIREAT", key, "1"},
          {"DEL", key},
          {"ZADD", key, "1", "x"},
          {"ZREM", key, "x"},
          {"ZREMRANGEBYSCORE", key, "1", "1"},
          {"HSETNX", key, "x", "x"}};
}

Settings settings_in_config(const Reply& reply) {
  std::map<std::string, std::string> at;
  for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) at[reply.items[i].text] = reply.items[i + 1].text;
  Settings s;
  const bool log = at["appendonly"] == "yes";
  s.power_safe = log && at["appendfsync"] == "always" && at["no-appendfsync-on-rewrite"] == "no";
  s.durable = log && (at["appendfsync"] == "always" || at["appendfsync"] == "no");
  s.keeps = never_evicts(at["maxmemory"], at["maxmemory-policy"]);
  return s;
}

Settings settings_in_info(std::string_view info) {
  return {.keeps = never_evicts(field(info, "maxmemory"), field(info, "maxmemory_policy"))};
}

int major_version_in_info(std::string_view info) {
  int major = 0;
  const auto version = field(info, "redis_version");
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

}  // namespace sancho::redis
