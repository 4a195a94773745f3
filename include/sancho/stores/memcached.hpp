// # memcached://HOST:PORT,HOST:PORT
//
// Sessions in one memcached or several: shared by all machines, fast, and gone
// when a server restarts. For sessions that may be lost at any time and must
// never be wrong.
//
//     auto store = sancho::open_store("memcached://127.0.0.1:11211");
//     auto store = sancho::open_store("memcached://10.0.0.1,10.0.0.2:11211?namespace=shop");
//
// | option        | values              |                                                     |
// |---------------|---------------------|-----------------------------------------------------|
// | `namespace`   | a-z, 0-9, _         | as `MemcachedOptions::name_space`                    |
// | `connections` | 1 to 1024           | as `MemcachedOptions::connections`                   |
//
// With several servers each key has one, by consistent hashing (ketama, as
// libmemcached does it). A server that is down makes its keys *unavailable*;
// they never move to another, because a session that was ended there would
// come back with the server. All processes must name the same servers in the
// same words. To change the list, empty the servers first.
//
// memcached knows no users worth the name: whoever reaches the port reads and
// writes all. Keep it on a network of its own. docs/stores/memcached.md says
// which promises hold, and how a server must be set up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct MemcachedServer {
  std::string host;  // an address (IPv6 without brackets), or a name
  std::uint16_t port = 11211;
};

struct MemcachedOptions {
  // Keeps applications that share a server apart: up to 32 of a-z, 0-9 and _.
  std::string name_space = {};

  // The most connections this object has to each server. A call that finds all
  // of them busy waits for one, until its deadline.
  std::size_t connections = 16;

  // How long opening waits for each server.
  Duration open_timeout = std::chrono::seconds{5};
};

// Opens the store and asks every server whether it will do. One that is down
// is passed over as long as another answers.
//
// Thread safe, multiprocess safe, linearizable; not durable, and a server that
// is out of memory drops records before their time (`traits().keeps` is
// false). No index, no epochs, no scan. What has expired goes by itself; expiry
// is measured on `clock`, which must outlive the store. After a fork the child
// opens connections of its own.
//
// Throws `ConfigError` for options that cannot be; `StoreError` of kind
//   - *unavailable*: no server answers, or one answers as no memcached does;
//   - *refused*: a server without CAS (started with -C), or one that wants a
//     password.
std::unique_ptr<SessionStore> open_memcached_store(const std::vector<MemcachedServer>& servers,
                                                   const MemcachedOptions& options = {},
                                                   const Clock& clock = system_clock());

}  // namespace sancho
