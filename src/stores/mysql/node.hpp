// What a server is, and what it promises: asked on every new connection.
#pragma once

#include <string>

#include "stores/mysql/connection.hpp"

namespace sancho::mysql {

struct Node {
  bool mariadb = false;  // else MySQL
  bool galera = false;
  bool ready = true;  // a Galera node that is not: it takes no statements
  bool read_only = false;
  bool durable = false;     // a commit survives kill -9 of the server
  bool power_safe = false;  // ... and power loss
  unsigned cluster_size = 1;
  std::uint64_t largest_packet = 0;
  std::string version;
};

// Asks, and sets the session up. Throws `Failure`.
Node greet(Connection& connection, Deadline deadline);

// Why it cannot be used, or nothing if it can.
std::string objection(const Node& node);

// Does `node` give all that `promised` does?
bool keeps(const Node& promised, const Node& node);
// What both give.
Node weaker(const Node& one, const Node& other);

}  // namespace sancho::mysql
