// # The store contract
//
// A store is one map from session key to record, linearizable per key, with six
// verbs. Each verb has a precondition; none "inserts or updates". That is what
// makes logout win and keeps overlapping requests from losing each other's
// writes, so a store that bends a clause breaks the promises. The conformance
// suite (`sancho/conformance.hpp`) checks them all: to write a store, implement
// this class and instantiate the suite.
//
// Rules for every verb:
//
//   - An expired record (`Record::expired` at the store's clock) is absent,
//     swept or not.
//   - What was acknowledged is kept, if `traits().durable`.
//   - Trouble is a `StoreError`; `maybe_done()` is true where a writing verb may
//     have happened nevertheless. If it is false, it did not happen and will not.
//   - No call takes much longer than its deadline.
//   - All verbs may be called from several threads at once if
//     `traits().thread_safe`.
//   - A store keeps nothing of what it was given beyond the call but a copy.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sancho/error.hpp"
#include "sancho/record.hpp"

namespace sancho {

// What a store gives. The package's `is_thread_safe` and
// `is_multiprocess_safe` are the first two.
struct StoreTraits {
  bool thread_safe = false;        // one object, several threads
  bool multiprocess_safe = false;  // several processes (or objects), one URI
  bool durable = false;            // an acknowledged write survives kill -9
  bool power_safe = false;         // ... and power loss
  bool linearizable = false;       // per key, across all its clients
  bool distributed = false;        // its clock is its own, not this process's
  bool admission = false;          // honours `Admission`
};

// Answers. Each verb's answer is one of a few of these.
struct Done {};                      // it happened
struct Absent {};                    // there was no such record
struct Gone {};                      // there is no such record (any more)
struct Taken { Record current; };    // create: the key is in use by this record
struct Conflict { Record current; }; // the version is another: this is the record
struct Removed { Record last; };     // erase: this was the record
struct Refused { std::string why; }; // create: the admission said no

using CreateAnswer = std::variant<Done, Taken, Refused>;
using CommitAnswer = std::variant<Done, Conflict, Gone>;
using TouchAnswer = std::variant<Done, Gone>;
using EraseAnswer = std::variant<Removed, Conflict, Absent>;

// A condition on `create`, checked with it atomically: the subject's epoch is
// still the one seen, and the subject has fewer than `cap` live sessions or the
// action makes room. No store of this release offers it
// (`traits().admission` is false, and a create that carries one throws
// `StoreError` of kind *refused*).
struct Admission {
  enum class AtCap { refuse, evict_oldest, evict_idlest };
  std::string subject;
  std::uint64_t epoch_seen = 0;
  std::uint32_t cap = 0;  // 0: no cap
  AtCap at_cap = AtCap::refuse;
};

// One call of `sweep`: at most `budget` records are removed.
struct SweepRequest {
  std::size_t budget = 1000;
  // Besides what has expired, live records not accessed since this moment: the
  // package's `delete_old_sessions`.
  std::optional<Time> accessed_before = {};
};

struct SweepAnswer {
  std::size_t removed = 0;    // records of any state
  std::size_t sessions = 0;   // of these, live ones
  bool more = false;          // stopped at the budget: call again
  // Live sessions among the removed, for one `expired` event each (event.hpp).
  std::vector<Handle> handles;
};

class SubjectIndex;
class Scan;

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  // The record, or nothing.
  virtual std::optional<Record> load(const SessionKey& key, Deadline deadline) = 0;

  // Puts a record where there is none; never overwrites one that has not
  // expired.
  virtual CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                              const Admission* admission = nullptr) = 0;

  // Replaces the record if its version is `expected`; never creates.
  //   - The stored access time becomes the greater of the stored and the given.
  //   - A `record` whose subject differs from the stored one is refused
  //     (`StoreError`, kind *refused*) and nothing changes.
  virtual CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record,
                              Deadline deadline) = 0;

  // Raises the access time of a live record of this incarnation to `accessed`
  // and changes nothing else: not the version, and never downwards. *Gone* for
  // a record that is absent, not live, or of another incarnation.
  virtual TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) = 0;

  // Removes the record if its version is `expected`, or whatever its version if
  // that is empty. When it returns, the removal is as durable as a commit.
  virtual EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) = 0;

  // Removes records that have expired, a bounded number a call. Expiry is
  // tested again atomically with each removal, so a record that was touched
  // meanwhile stays. One unreadable record neither stops it nor is removed.
  virtual SweepAnswer sweep(const SweepRequest& request, Deadline deadline) = 0;

  virtual StoreTraits traits() const = 0;

  // What it is, for messages and logs: the URI without its password.
  virtual std::string name() const = 0;

  // Makes tables, directories, files. Idempotent; never destroys data. Opening
  // a store does this where it is harmless.
  virtual void setup() = 0;

  // Optional powers: null where a store has not got them. Owned by the store.
  virtual SubjectIndex* subjects() { return nullptr; }
  virtual Scan* scan() { return nullptr; }
};

struct KeyedRecord {
  SessionKey key;
  Record record;
};

// Power: the sessions of one user.
class SubjectIndex {
 public:
  virtual ~SubjectIndex() = default;
  // The live records of this subject, in no particular order; empty for an
  // empty subject.
  virtual std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) = 0;
};

// Power: all sessions, a page at a time; the package's `iter_sessions`.
class Scan {
 public:
  virtual ~Scan() = default;

  // Calls `each` for every live record until it returns false. Holds no lock
  // while it does, and not the whole list in memory; a record that lives
  // during the whole walk is seen exactly once, one that comes or goes
  // meanwhile may be. Unreadable records are passed over.
  virtual void iter_sessions(const std::function<bool(const KeyedRecord&)>& each, Deadline deadline) = 0;

  // How many live records there are.
  virtual std::size_t count(Deadline deadline) = 0;
};

// The package's `delete_old_sessions`: removes the sessions not accessed for at
// least `age`, until none is left or the deadline has passed. Returns how many
// live sessions went; `each` is told their handles. `now` is the store's clock.
std::size_t delete_old_sessions(SessionStore& store, Duration age, Time now, Deadline deadline,
                                const std::function<void(const Handle&)>& each = {});

}  // namespace sancho
