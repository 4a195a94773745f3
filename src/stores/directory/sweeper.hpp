// Removes what has expired from a directory, a bounded number of files a call,
// and goes on in the next call where it stopped.
#pragma once

#include <mutex>
#include <optional>

#include "record_files.hpp"
#include "sancho/store.hpp"
#include "stores/timed_mutex.hpp"

namespace sancho {

class Sweeper {
 public:
  Sweeper(Directory& directory, RecordFiles& records, const Clock& clock) : directory_(directory), records_(records), clock_(clock) {}

  SweepAnswer sweep(const SweepRequest& request, Deadline deadline);

 private:
  // One way through the directory, in the order of the keys.
  struct Round {
    std::optional<SessionKey> after;  // as far as this; from the beginning if empty
    Time before = Time::min();        // for old sessions: what it asks of them
    bool joined = false;              // ... and what it has passed was asked for less
  };
  class Call;

  Directory& directory_;
  RecordFiles& records_;
  const Clock& clock_;
  TimedMutex mutex_;
  Round expired_, old_;
};

}  // namespace sancho
