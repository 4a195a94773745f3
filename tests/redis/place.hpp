// A namespace of one's own on the test's servers, and a way past the store to
// what is in it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../support/servers.hpp"
#include "open.hpp"
#include "sancho/conformance.hpp"
#include "sancho/random.hpp"
#include "stores/redis/client.hpp"
#include "stores/redis/uri_options.hpp"
#include "stores/redis/value.hpp"

namespace sancho::test {

// Options for the server of SANCHO_TEST_<variable>.
inline RedisOptions redis_options(const std::string& variable) {
  return redis::options_of(StoreUri::parse(server_uri(variable)));
}

inline std::string fresh_namespace() {
  std::string name = "t";
  for (auto n = system_random().draw_u64(); n > 0; n /= 36) name += "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
  return name;
}

// What docs/stores/redis.md says that a user needs.
inline std::vector<std::string> rights_listed(bool cluster) {
  std::vector<std::string> rights{"-@all",       "+get",
                                  "+set",        "+mget",
                                  "+getrange",   "+setrange",
                                  "+del",        "+pexpireat",
                                  "+pttl",       "+zadd",
                                  "+zrem",       "+zcard",
                                  "+zrange",     "+zremrangebyscore",
                                  "+hmget",      "+hsetnx",
                                  "+eval",       "+evalsha",
                                  "+time",       "+scan",
                                  "+wait",       "+info",
                                  "+config|get", "+client|setname",
                                  "+acl|dryrun"};
  if (cluster) rights.insert(rights.end(), {"+asking", "+cluster|slots", "+cluster|nodes"});
  return rights;
}

// Gone with all its keys at the end.
class RedisPlace {
 public:
  explicit RedisPlace(RedisOptions options) : options_(std::move(options)), client_(options_, "the test") {
    if (options_.name_space.empty()) options_.name_space = fresh_namespace();
  }
  explicit RedisPlace(const std::string& variable) : RedisPlace(redis_options(variable)) {}
  ~RedisPlace() {
    try {
      std::vector<redis::Call> calls;
      for (const auto& name : keys())
        calls.push_back({.words = {"DEL", name}, .slot = redis::slot_of(name), .again = true});
      client_.run(calls, soon());
    } catch (const std::exception&) {  // the test may have left no server: then there are no keys
    }
  }
  RedisPlace(const RedisPlace&) = delete;
  RedisPlace& operator=(const RedisPlace&) = delete;

  const RedisOptions& options() const { return options_; }
  std::unique_ptr<SessionStore> open() const { return open_redis(options_); }
  redis::Keys names() const { return redis::Keys(options_.name_space); }
  redis::Client& client() { return client_; }

  static Deadline soon() { return Deadline::after(std::chrono::seconds{30}); }

  // A command about one key, which is its second word.
  redis::Reply command(redis::Command words) {
    const auto slot = redis::slot_of(words.at(1));
    return client_.run({.words = std::move(words), .slot = slot, .again = true}, soon());
  }

  // All keys of the namespace, on all masters.
  std::vector<std::string> keys() {
    std::vector<std::string> found;
    for (const auto& node : client_.masters(soon())) {
      std::string cursor = "0";
      do {
        const auto reply = client_.run_at(
            node, {"SCAN", cursor, "MATCH", "sancho:" + options_.name_space + ":*", "COUNT", "1000"}, soon());
        cursor = reply.items.at(0).text;
        for (const auto& name : reply.items.at(1).items) found.push_back(name.text);
      } while (cursor != "0");
    }
    return found;
  }

 private:
  RedisOptions options_;
  redis::Client client_;
};

// The suite's place in a server of this machine. Time really passes there: a unit is
// long enough for a few commands, each waiting for the disk, on a busy machine.
inline conformance::Venue redis_venue(const RedisOptions& options) {
  const auto place = std::make_shared<RedisPlace>(options);
  return {.open = [place](const Clock&) { return place->open(); },
          .pass = [](Duration d) { std::this_thread::sleep_for(d); },
          .now = [] { return system_clock().now(); },
          .unit = Duration{300}};
}

}  // namespace sancho::test
