// One connection to one server, and the three commands that are all we say to
// it: `gets`, `add` and `cas`, in memcached's text protocol.
//
// The commands of libmemcached are not used, because two things are needed that
// it does not offer: one deadline for a whole call, and a fork after which parent
// and child go on with connections of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stores/memcached/socket.hpp"

namespace sancho::memcached {

class Connection {
 public:
  // Connects, and asks what the server is like. `whose` is how messages begin.
  // Throws `StoreError`: *unavailable*, or *refused* where it will not do.
  Connection(const MemcachedServer& server, const std::string& whose, Deadline deadline);

  struct Item {
    std::string value;
    std::uint64_t cas = 0;  // of this item in this process of the server
  };
  // What is there, or nothing.
  std::optional<Item> gets(std::string_view key, Deadline deadline);

  // Stores the value where there is nothing (`cas` empty), or only over the
  // item that had that number. False if it was otherwise. Throws `StoreError`;
  // *full* and *refused* leave all as it was.
  bool put(std::string_view key, std::string_view value, std::int64_t exptime, std::optional<std::uint64_t> cas,
           Deadline deadline);

  // After any answer that was not read to its end, or not understood, it must
  // not be used again: what comes next would be taken for another answer.
  bool sound() const { return sound_; }
  // Is it worth using, as far as can be told without asking the server?
  bool fresh() const { return sound_ && socket_.silent() && in_.empty(); }

  // The server's clock, in seconds since 1970.
  std::int64_t server_now() const;

 private:
  void learn(Deadline deadline);
  void learn_from(std::string_view line);
  // Runs `talk` and turns what goes wrong into a `StoreError`.
  template <class Talk>
  auto conversation(const char* doing, bool writes, Deadline deadline, Talk talk);
  std::string_view line(Deadline deadline);
  void fill(Deadline deadline);
  std::string bytes(std::size_t count, Deadline deadline);

  std::string whose_;
  Socket socket_;
  bool sound_ = true;
  std::string in_;    // received and not yet read
  std::string line_;  // the line that was read last
  std::size_t item_size_max_ = 0;
  std::int64_t time_ = 0;  // the server's, at `asked_`
  bool has_cas_ = true;
  Deadline::Steady::time_point asked_;
};

}  // namespace sancho::memcached
