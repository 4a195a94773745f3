// Where the database is: what a libpq URI says, taken apart so that each host
// can be tried by itself and gets a share of the time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sancho/time.hpp"

namespace sancho::postgresql {

// libpq's keywords and their values.
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Place {
  std::string name;             // for messages: no user, password or options
  std::vector<Settings> hosts;  // all that is needed to connect to each; at least one
  // `connect_timeout`: how long one host may take, if the deadline leaves more.
  std::optional<Duration> patience;

  // Throws `ConfigError`, whose message shows no password.
  static Place parse(std::string_view uri);
};

}  // namespace sancho::postgresql
