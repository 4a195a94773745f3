// The connections of one store object: any thread may take one for a call, and
// one thread at a time is the writer.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "base/coarse_clock.hpp"
#include "sancho/stores/sqlite.hpp"
#include "stores/idle.hpp"
#include "stores/sqlite/connection.hpp"
#include "stores/sqlite/write_queue.hpp"

namespace sancho::sqlite {

// Which file it is, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

class Pool {
 public:
  // Makes the file if it is absent and may be made. Throws `StoreError`.
  Pool(std::string path, const SqliteOptions& options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Sets the database up, or sees that it is.
  void setup(Deadline deadline);

  // When a write failed for want of room: makes what there can be made.
  void make_room(Deadline deadline);
  // Pages that only writes which give room back may take, so that a row which
  // grows by a byte on its way to a tombstone finds a place to split its page.
  class LastPages {
   public:
    LastPages(const Pool& pool, Connection& connection);
    ~LastPages();
    LastPages(const LastPages&) = delete;
    LastPages& operator=(const LastPages&) = delete;

   private:
    const Pool& pool_;
    Connection& connection_;
  };

  // Where room may have come back: sees to the reserve that `make_room` spends.
  void see_to_reserve() noexcept;

  bool read_only() const { return access_ != Access::write; }
  const std::string& name() const { return name_; }

  // Who writes is told at once if the file was replaced; who reads, within a tick of
  // the operating system's coarse clock, ten milliseconds at most.
  // Who writes again and again for several takes the connection that did so before,
  // whose cache is as new as the database.
  enum class Use { read, write, write_for_several };

  // A connection for the length of one call; back in the pool when it goes.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection, Use use) : pool_(pool), connection_(std::move(connection)), use_(use) {}
    ~Lease() { pool_.give_back(std::move(connection_), use_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& operator*() const { return *connection_; }

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
    Use use_;
  };
  Lease take(Deadline deadline, Use use);

  // The queue to write. True: it is this one's turn, and `leave` must follow; false:
  // who led has seen to it. Throws `StoreError` (*unavailable*) at the deadline.
  bool enter(WriteQueue::Place& place);
  WriteQueue::Place* follow() { return queue_.follow(); }
  void put_back(std::span<WriteQueue::Place* const> undone) noexcept { queue_.put_back(undone); }
  void leave(std::span<WriteQueue::Place* const> done, Deadline::Steady::duration patience) noexcept { queue_.leave(done, patience); }

  // The turn to write for somebody alone.
  class Turn {
   public:
    Turn(Pool& pool, Deadline deadline) : pool_(pool), place_(deadline, true) { pool_.enter(place_); }
    ~Turn() { pool_.leave({}, {}); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Pool& pool_;
    WriteQueue::Place place_;
  };

 private:
  void require_own_process() const;
  void require_same_file() const;
  std::unique_ptr<Connection> open(Deadline deadline) const;
  void limit(Connection& connection, std::uint32_t pages) const;
  std::uint32_t usual_pages() const { return options_.max_pages - std::max(2u, options_.max_pages / 32); }
  void give_back(std::unique_ptr<Connection> connection, Use use);
  void close_all() noexcept;

  std::string path_;
  std::string name_;
  SqliteOptions options_;
  pid_t owner_;
  Access access_;
  FileId file_;
  SeenThisTick same_file_;
  Idle<Connection> idle_;
  std::atomic<Connection*> for_several_ = nullptr;
  WriteQueue queue_;
};

}  // namespace sancho::sqlite
