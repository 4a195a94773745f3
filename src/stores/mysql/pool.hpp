// The connections of one store object: a bounded number, to the host that serves.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stores/mysql/node.hpp"

namespace sancho::mysql {

class Pool {
 public:
  // Sees what the hosts that answer promise. Throws `StoreError` if none can be used.
  Pool(const MysqlOptions& options, std::string name);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // What every host gives that answered at the beginning.
  const Node& promised() const { return promised_; }
  const std::string& name() const { return name_; }

  struct Session {
    std::unique_ptr<Connection> connection;
    Node node;
    std::size_t host = 0;  // in the options
  };

  // A connection for the length of one call; back in the pool when it goes,
  // unless it is not sound.
  class Lease {
   public:
    Lease(Pool& pool, Session session) : pool_(pool), session_(std::move(session)) {}
    ~Lease() { pool_.give_back(std::move(session_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& operator*() const { return *session_.connection; }
    const Node& node() const { return session_.node; }
    // The host did not answer, or sent us away: others are tried first for a while.
    void suspect() const { pool_.suspect(session_.host); }

   private:
    Pool& pool_;
    Session session_;
  };
  // Throws `StoreError`: nothing has been done yet.
  Lease take(Deadline deadline);

 private:
  using Steady = Deadline::Steady;
  void require_own_process() const;
  Session connect(Deadline deadline);
  Session connect_to(std::size_t host, Deadline deadline) const;
  std::vector<std::size_t> hosts_to_try();
  std::string name_of(std::size_t host) const;
  void suspect(std::size_t host);
  void give_back(Session session);

  MysqlOptions options_;
  std::string name_;
  pid_t owner_;
  Node promised_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Session> idle_;
  std::size_t open_ = 0;                       // idle or lent
  std::vector<Steady::time_point> suspected_;  // until when, for each host
};

}  // namespace sancho::mysql
