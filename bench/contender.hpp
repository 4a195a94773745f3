// # What is measured against what
//
// Sancho on a store, and the floor under it: what the same engine does when it is
// asked by hand, with nothing of what makes it a session. Both hold the same
// number of sessions with a payload of about 200 bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

namespace sancho::bench {

// A request of the session of this number, and what it brings along. In a server that
// has just come over the network: it is not fetched from where millions of them lie.
struct Visit {
  std::size_t session;
  std::string brought;
};

class Contender {
 public:
  virtual ~Contender() = default;
  // What requests of this session bring, if they are known by that.
  virtual std::string brings(std::size_t /*session*/) const { return {}; }
  // What is brought where the store alone is asked, by `load`.
  virtual std::string brings_to_load(std::size_t session) const { return brings(session); }
  // One request each, by a thread of this number.
  virtual void read(unsigned thread, const Visit& visit) = 0;   // who is there?
  virtual void write(unsigned thread, const Visit& visit) = 0;  // another value in it, which depends on the one before
  virtual void log_in(unsigned thread) = 0;                     // a session more
  // A read without the request around it: the store's part. The engine by hand has no other.
  virtual void load(unsigned thread, const Visit& visit) { read(thread, visit); }
  // Makes the oldest go, as many as `a_part` of the sessions.
  virtual void lose_a_part() {}
};

// Of a store with so many sessions, a hundredth; of a small one a hundred sessions, so
// that a clock can be stopped between two parts.
constexpr std::size_t a_part(std::size_t sessions) { return std::max<std::size_t>(sessions / 100, 100); }

constexpr unsigned most_threads = 2;
constexpr std::size_t payload_bytes = 200;

// `place` is an empty directory on the disk, `nursery` one in memory: what is
// flushed to the disk is filled there and then copied.
struct Setting {
  std::size_t sessions;
  std::string place, nursery;
};

// `scheme` as in a URI, `options` with their question mark. `of`, an empty path or
// the name of what lies in the place.
std::unique_ptr<Contender> sancho_on(const std::string& scheme, const std::string& of, const std::string& options, const Setting& setting);

// On `memory:`, whose sessions end when as many have come since as there are. Logging in
// and losing a part is all it does.
std::unique_ptr<Contender> sancho_turning_over(const Setting& setting);

// An `unordered_map` behind a `shared_mutex`, which can lose a part.
std::unique_ptr<Contender> map_floor(const Setting& setting);
// Prepared statements: select by key, update where the version is the expected
// one, insert; a connection a thread, in WAL mode. Here and below, whoever writes
// a session has read it first.
std::unique_ptr<Contender> sqlite_floor(const Setting& setting, bool full);
// One table: get in a read transaction that is kept and renewed; get and put in a
// write transaction.
std::unique_ptr<Contender> lmdb_floor(const Setting& setting, bool full);
// A file a session, with a name of 64 digits: open, read, close; temporary file, write, fdatasync, rename,
// fsync of the directory.
std::unique_ptr<Contender> files_floor(const Setting& setting);

}  // namespace sancho::bench
