// Writes of several threads in one transaction with one sync. Each decides for
// itself, as if the others had been before it; none hears its verdict before all of
// it is as durable as the database promises; and who fails, fails alone.
#pragma once

#include <exception>
#include <vector>

#include "stores/sqlite/pool.hpp"

namespace sancho::sqlite {

// May it take the pages that are kept for writes which give room back?
enum class Room { usual, all };

// What one call writes: reads the record, decides, writes.
class Write : public WriteQueue::Place {
 public:
  // `bytes`: about how much of it goes into the database.
  struct How {
    std::size_t bytes = 0;
    Room room = Room::usual;
    bool alone = false;  // of many statements: no group waits for it
  };
  Write(Deadline deadline, const char* doing, How how) : Place(deadline, how.alone || how.room == Room::all), doing_(doing), how_(how) {}

 protected:
  ~Write() = default;

 private:
  friend class GroupWriter;
  // Is called again, from the start, where what it did was undone; by whichever
  // thread leads. Writes nothing if it throws.
  virtual void act(Connection& connection) = 0;

  const char* doing_;
  How how_;
  bool kept_ = false;  // it was committed
  std::exception_ptr trouble_;
};

class GroupWriter {
 public:
  explicit GroupWriter(Pool& pool);

  // Returns when it has been committed. Throws what `act` threw, or `StoreError`.
  void run(Write& write);

 private:
  void lead(Write& own);
  bool together(Write& own);
  bool gather(Connection& connection, const Write& own);
  static bool harmless(Connection& connection, Write& other);
  void commit(Transaction& transaction);
  Deadline::Steady::duration patience() const;
  void doubt(const StoreError& trouble);

  Pool& pool_;
  std::vector<WriteQueue::Place*> others_;  // in the group of who leads, besides it
  bool had_company_ = false;                // who led last
  Deadline::Steady::duration commit_takes_{};  // the last one of a group
};

}  // namespace sancho::sqlite
