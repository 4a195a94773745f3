// # What options come to
//
// The first thing that is done with them, before anybody is connected to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sancho/stores/redis.hpp"
#include "stores/redis/reply.hpp"
#include "stores/redis/topology.hpp"

namespace sancho::redis {

// Throws `ConfigError` for options that cannot be.
void require_sense(const RedisOptions& options);

// The URI without password, for messages.
std::string name_of(const RedisOptions& options);

Deployment deployment_of(const RedisOptions& options);
std::vector<Endpoint> endpoints_of(const RedisOptions& options);

// What a connection is told when it is opened.
struct Introduction {
  std::string user;
  std::optional<std::string> password;
  unsigned database = 0;
  std::string client_name;
  bool master_only = false;  // of use only if the node says that it is the master
};

Introduction introduction_of(const RedisOptions& options);
Introduction introduction_to_sentinels(const RedisOptions& options);

// Its commands, and what the replies to them come to: throws `StoreError` if it
// was refused, `Broken` if it is no master and should be.
Wire wire_of(const Introduction& introduction);
void require_welcome(const Introduction& introduction, const std::vector<Reply>& replies);

}  // namespace sancho::redis
