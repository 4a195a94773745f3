// # What a server's settings are worth
//
// Pure: from CONFIG GET, or from INFO where that is not permitted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stores/redis/reply.hpp"

namespace sancho::redis {

struct Settings {
  bool durable = false;     // what was acknowledged survives kill -9
  bool power_safe = false;  // and power loss
  bool keeps = false;       // nothing is evicted

  // What holds for both of two servers.
  Settings operator&(const Settings& o) const {
    return {durable && o.durable, power_safe && o.power_safe, keeps && o.keeps};
  }
  bool operator==(const Settings&) const = default;
};

// With `appendfsync everysec` Redis may answer before it has written, while an
// earlier fsync takes its time: up to two seconds of answers, lost with the
// process. With `no` it writes first, and only power loss takes anything.
Settings settings_in_config(const Reply& reply);

// INFO does not say when the log is synced.
Settings settings_in_info(std::string_view info);

// CONFIG GET's question.
Command settings_question();

// What our scripts write, about some key.
std::vector<Command> replayed_commands(const std::string& key);

// "redis_version:7.0.15" -> 7; 0 if it is not there.
int major_version_in_info(std::string_view info);

}  // namespace sancho::redis
