// One connection, waited for: nothing is sent or read beyond a deadline. Used by
// one thread at a time, for one conversation after the other.
#pragma once

#include "sancho/time.hpp"
#include "stores/postgresql/pipeline.hpp"

namespace sancho::postgresql {

class Connection {
 public:
  Connection(Established connection, const Statements& statements) : pipeline_(std::move(connection), statements) {}

  // All steps or none, in one round trip.
  Reply run(std::span<const Step> steps, Deadline deadline);
  // SQL without parameters, one transaction; all results but as text.
  Reply script(const std::string& sql, Deadline deadline);

  // As `Pool` asks.
  bool sound() const { return sound_; }
  bool fit() { return sound_ && pipeline_.fit(); }
  // Whole as it may be, it is not to be used again.
  void retire() { sound_ = false; }

  int server_version() const { return pipeline_.server_version(); }

 private:
  Reply receive(Deadline deadline);

  Pipeline pipeline_;
  bool sound_ = true;
};

// Waits until the socket is ready for one of `events` (as of poll). False when
// the deadline has passed.
bool wait_for(int socket, short events, Deadline deadline);

}  // namespace sancho::postgresql
