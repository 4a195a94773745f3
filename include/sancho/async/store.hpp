// # The store contract, for coroutines
//
// The contract of `sancho/store.hpp`, verb for verb: the same questions, the
// same answers, the same trouble (`StoreError`), the same deadlines. What is
// said there holds here; this says what is different.
//
//   - A verb is a coroutine (`boost::asio::awaitable`). It runs on the executor
//     of whoever awaits it and never blocks its thread.
//   - What it is given is given by value, because its caller may be gone while
//     it is under way: a request that was cancelled, or whose deadline has
//     passed, leaves it to itself. So a verb refers to nothing but its store,
//     which stays until it has ended.
//   - Several may be under way at once, on several threads.
//   - It may be cancelled (Asio's per-operation cancellation, *terminal*). Then
//     it ends soon, with `boost::asio::error::operation_aborted` or as if it had
//     not been. Nobody may conclude from that whether a write was done.
//   - An exception of Asio that it lets through (a connection was reset) is
//     taken for *unavailable*, and a write then for one that may have been done.
//
// `blocking` (async/blocking.hpp) makes a `SessionStore` of it, so the
// conformance suite runs on it; `on_executor` (async/on_executor.hpp) makes one
// of any blocking store.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

class AsyncSubjectIndex;
class AsyncEpochs;
class AsyncScan;

class AsyncSessionStore {
 public:
  virtual ~AsyncSessionStore() = default;

  virtual boost::asio::awaitable<std::optional<Record>> load(SessionKey key, Deadline deadline) = 0;
  virtual boost::asio::awaitable<CreateAnswer> create(SessionKey key, Record record, Deadline deadline,
                                                      std::optional<Admission> admission = {}) = 0;
  virtual boost::asio::awaitable<CommitAnswer> commit(SessionKey key, Version expected, Record record,
                                                      Deadline deadline) = 0;
  virtual boost::asio::awaitable<TouchAnswer> touch(SessionKey key, std::uint64_t incarnation, Time accessed,
                                                    Deadline deadline) = 0;
  virtual boost::asio::awaitable<EraseAnswer> erase(SessionKey key, std::optional<Version> expected,
                                                    Deadline deadline) = 0;
  virtual boost::asio::awaitable<SweepAnswer> sweep(SweepRequest request, Deadline deadline) = 0;

  // Known without asking anybody: a manager calls it when it is made.
  virtual StoreTraits traits() const = 0;
  virtual std::string name() const = 0;
  virtual boost::asio::awaitable<void> setup() = 0;

  // Optional powers: null where a store has not got them. Owned by the store.
  // The last two ask nobody, and are those of the blocking contract.
  virtual AsyncSubjectIndex* subjects() { return nullptr; }
  virtual AsyncEpochs* epochs() { return nullptr; }
  virtual AsyncScan* scan() { return nullptr; }
  virtual Routing* routing() { return nullptr; }
  virtual Health* health() { return nullptr; }

  // True where each verb that is awaited in this execution context ends by itself
  // when its deadline has passed, and at once when it is cancelled. A manager then
  // awaits it as it is; beside others it runs a timer of its own, which takes
  // longer than many a call. A store whose timers belong to another context is not
  // punctual here: that one may stand still.
  virtual bool punctual(const boost::asio::execution_context& context) const {
    (void)context;
    return false;
  }

  // The blocking store behind this one, where that never waits
  // (`StoreTraits::never_waits`): a manager asks it where the coroutine runs, and
  // spares a request most of its coroutines. Owned by this store; null if there is
  // none, or if it may wait.
  virtual SessionStore* in_place() { return nullptr; }
};

// Power: the sessions of one user (`SubjectIndex`).
class AsyncSubjectIndex {
 public:
  virtual ~AsyncSubjectIndex() = default;
  virtual boost::asio::awaitable<std::vector<KeyedRecord>> find_by_subject(std::string subject, Deadline deadline) = 0;
};

// Power: ending all sessions of a user, and caps (`Epochs`).
class AsyncEpochs {
 public:
  virtual ~AsyncEpochs() = default;
  virtual boost::asio::awaitable<EpochsSeen> epochs(std::string subject, Deadline deadline) = 0;
  virtual boost::asio::awaitable<void> set_epoch(std::string subject, std::uint64_t epoch, Time until,
                                                 Deadline deadline) = 0;
};

// Power: all records, one after the other (`Scan`).
class AsyncScan {
 public:
  virtual ~AsyncScan() = default;
  // Awaited for one record at a time; it may use the store. What it throws ends
  // the walk and comes out of it.
  using Each = std::function<boost::asio::awaitable<bool>(const KeyedRecord&)>;
  virtual boost::asio::awaitable<void> walk(Each each, Deadline deadline) = 0;
  virtual boost::asio::awaitable<std::size_t> count(Deadline deadline) = 0;
};

}  // namespace sancho
