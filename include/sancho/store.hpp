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
#include "sancho/export.hpp"
#include "sancho/record.hpp"

namespace sancho SANCHO_EXPORT {

// What a store gives. The package's `is_thread_safe` and
// `is_multiprocess_safe` are the first two.
struct StoreTraits {
  bool thread_safe = false;        // one object, several threads
  bool multiprocess_safe = false;  // several processes (or objects), one URI
  bool durable = false;            // an acknowledged write survives kill -9
  bool power_safe = false;         // ... and power loss
  bool linearizable = false;       // per key, across all its clients
  bool keeps = false;              // drops no record before its time (memcached may)
  bool survives_failover = false;  // an acknowledged write survives the loss of any one machine
  bool distributed = false;        // its clock is its own, not this process's
  bool sweeps_itself = false;      // what has expired goes without `sweep`, and nobody hears of it
  bool never_waits = false;        // the verbs of a request take microseconds: an event loop may call them itself
};

// Answers. Each verb's answer is one of a few of these.
struct Done {};                      // it happened
struct Absent {};                    // there was no such record
struct Gone {};                      // there is no such record (any more)
struct Taken { Record current; };    // create: the key is in use by this record
struct Conflict { Record current; }; // the version is another: this is the record
struct Removed { Record last; };     // erase: this was the record
struct Refused {                     // create: the admission said no
  enum class Why { revoked, at_cap };
  Why why;
};

using CreateAnswer = std::variant<Done, Taken, Refused>;
using CommitAnswer = std::variant<Done, Conflict, Gone>;
using TouchAnswer = std::variant<Done, Gone>;
using EraseAnswer = std::variant<Removed, Conflict, Absent>;

// What a subject's sessions are counted from: two numbers that change when all
// sessions of the subject, or all of everybody, are ended. Zero is an epoch
// that never changed, or whose change is long over.
struct EpochsSeen {
  std::uint64_t subject = 0;
  std::uint64_t everyone = 0;
  bool operator==(const EpochsSeen&) const = default;
};

// A condition on `create`, tested atomically with it (power `Epochs`). In this
// order: the key is free, else *taken*; both epochs of the record's subject are
// still those seen, else *refused: revoked*; its subject has fewer than `cap`
// other sessions, else *refused: at_cap*. What was refused did not happen.
//
// Sessions are counted by their handles, over the subject's pending and live
// records that have not expired: a session whose id is being renewed has two
// records and counts once, and a record of the new one's own handle does not
// count against it. So there is no moment with more than `cap`.
struct Admission {
  EpochsSeen seen = {};
  std::uint32_t cap = 0;  // 0: no cap
};

// One call of `sweep`: at most `budget` records are removed, and not many more
// looked at. It goes on where the one before stopped, also one that asks for a
// later moment; so calls get to the end of a store of whatever size.
struct SweepRequest {
  std::size_t budget = 1000;
  // Besides what has expired, live records not accessed since this moment: the
  // package's `delete_old_sessions`. A store without `scan` cannot know them,
  // and throws `StoreError` of kind *refused*.
  std::optional<Time> accessed_before = {};
};

struct SweepAnswer {
  std::size_t removed = 0;    // records of any state
  std::size_t sessions = 0;   // of these, live ones
  bool more = false;          // stopped before it had looked at all: call again
  // Live sessions among the removed, for one `expired` event each (event.hpp).
  std::vector<Handle> handles;

  // For those who write stores: one record more was removed; and all that a
  // part of the sweep removed.
  void count(const Record& gone);
  void add(const SweepAnswer& part);
};

class SubjectIndex;
class Epochs;
class Scan;
class Routing;
class Health;

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  // The record, or nothing.
  virtual std::optional<Record> load(const SessionKey& key, Deadline deadline) = 0;

  // The same, into a record that is there already; false for nothing, and then, as
  // after an exception, it holds whatever it likes. It is what `load` gives unless a
  // store has a better way: one that keeps records in memory copies into the
  // strings that are there, and who loads again and again allocates nothing.
  virtual bool load_into(const SessionKey& key, Record& record, Deadline deadline);

  // Puts a record where there is none; never overwrites one that has not
  // expired. An admission comes with a record that has a subject, and only to a
  // store with `epochs()`: others throw `StoreError` of kind *refused*.
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
  virtual Epochs* epochs() { return nullptr; }
  virtual Scan* scan() { return nullptr; }
  virtual Routing* routing() { return nullptr; }
  virtual Health* health() { return nullptr; }
};

struct KeyedRecord {
  SessionKey key;
  Record record;
};

// Power: the sessions of one user.
class SubjectIndex {
 public:
  virtual ~SubjectIndex() = default;
  // Every record of this subject that is a session or may lead to one: live,
  // pending and moved, in no particular order, none that has expired; nothing
  // for an empty subject. All as at one moment of the call: where one record
  // takes over from another meanwhile, at least one of the two is there.
  virtual std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) = 0;
};

// Power: ending all sessions of a user, those too that are just being made; and
// never more of them than a cap. Stores with it honour `Admission`, and have
// `subjects()`.
class Epochs {
 public:
  virtual ~Epochs() = default;

  // Both epochs of a subject, everyone's alone for an empty one.
  virtual EpochsSeen epochs(std::string_view subject, Deadline deadline) = 0;

  // Changes the subject's epoch, everyone's for an empty subject. `epoch` is
  // drawn at random and not zero. It may be forgotten after `until`, by which
  // no create that has seen another can still be on its way.
  //
  // When this returns, every create that was admitted under another epoch has
  // happened, and `find_by_subject` (for everyone: `walk`) shows its record;
  // none will happen any more. So who then ends what is found has ended all.
  virtual void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) = 0;
};

// Power: all records, a page at a time.
class Scan {
 public:
  virtual ~Scan() = default;
  using Each = std::function<bool(const KeyedRecord&)>;

  // Calls `each` for every record, whatever its state, until it returns false.
  // Holds no lock while it does, and not the whole list in memory. A record
  // that is there during the whole walk is seen; once, unless the store is
  // distributed and has moved it meanwhile. One that comes or goes may be seen.
  // Unreadable records and expired ones are passed over.
  virtual void walk(const Each& each, Deadline deadline) = 0;

  // How many live records there are.
  virtual std::size_t count(Deadline deadline) = 0;

  // The package's `iter_sessions`: the walk over live records.
  void iter_sessions(const Each& each, Deadline deadline);
};

// Power: a store over many places, where each key has one. So that all sessions
// of a subject are in the same place, their ids carry the subject's tag
// (`SessionKey::tag`), and a record with a subject under a key with another tag
// is refused.
class Routing {
 public:
  virtual ~Routing() = default;
  // 24 bits; depends on the subject and on a secret that all processes share.
  virtual std::uint32_t tag_of(std::string_view subject) = 0;
};

// Power: a store that knows of itself, without asking anybody, what would fail
// now (a breaker that is open). True is no promise: the next call finds out.
// Cheap, and throws nothing.
class Health {
 public:
  virtual ~Health() = default;
  virtual bool can_read() const = 0;
  virtual bool can_write() const = 0;
};

// What is in a store, by walking over all of it: for operators, not for
// requests.
struct Statistics {
  std::size_t live = 0, pending = 0, moved = 0, ended = 0, notes = 0;
  std::size_t with_user = 0;       // of the live ones
  std::size_t payload_bytes = 0;   // of all
  std::size_t largest_payload = 0;
  std::optional<Time> oldest_created = {}, oldest_accessed = {};  // among the live ones
};

// Throws `StoreError` of kind *refused* for a store without `scan`.
Statistics statistics(SessionStore& store, Deadline deadline);

// The package's `delete_old_sessions`: removes the sessions not accessed for at
// least `age`, until none is left or the deadline has passed. Returns how many
// live sessions went; `each` is told their handles. `now` is the store's clock.
//
// Of a store that is too large for one deadline each call does a part and the
// next one, of the same store object, goes on there: in as many calls as it takes
// to get around, all have gone that were old at the first.
std::size_t delete_old_sessions(SessionStore& store, Duration age, Time now, Deadline deadline,
                                const std::function<void(const Handle&)>& each = {});

}  // namespace sancho
