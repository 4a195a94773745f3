// # The model store
//
// A store is an immutable map, known by a number, so that a state of the world
// is a few integers. So are records, operations and answers. `apply` is the
// whole store: which store comes of this one by this operation, and what is
// the answer? The records are real ones, sealed by the product's own codec.
#pragma once

#include <deque>
#include <unordered_map>

#include "fingerprint.hpp"
#include "flat_map.hpp"
#include "names.hpp"

namespace sancho::proof {

using No = std::uint32_t;

// The one moment at which everything happens, and another in the far past.
inline constexpr Time now{std::chrono::hours{24 * 365 * 50}};
inline constexpr Time long_ago{std::chrono::hours{24}};

// What the requests of a proof keep in a session: who wrote `a` and `b` last,
// and a count.
struct Slots {
  std::string a, b;
  std::optional<std::int64_t> n;
  std::string& operator[](char name) { return name == 'a' ? a : b; }
  const std::string& operator[](char name) const { return name == 'a' ? a : b; }
  bool operator==(const Slots&) const = default;
};
Slots slots_of(const protocol::Payload& payload);

// A record, and what the checks ask of it.
struct Seen {
  Record record;
  protocol::Payload payload;
  Slots slots;
  std::string handle;
  std::string heir_of;  // the handle before the login; scripts keep it in `user_agent`
  bool over = false;    // moved, and its grace has ended
  IdNo successor = 0;
};

// Handles are words here, padded.
Handle handle_of(std::string word);
std::string word_of(const Handle& handle);

enum class Said : std::uint8_t {
  none, found, absent, done, taken, conflict, gone, removed, lost,
  revoked, at_cap,  // refused
  epochs,           // the record is the epoch
  sessions,         // the record is a store that holds them
};
struct Reply {
  Said said = Said::none;
  No record = 0;
  No number() const { return record << 4 | static_cast<No>(said); }
};

// `pause` is no verb of a store: the application's handler takes its time.
enum class Verb : std::uint8_t { pause, load, create, commit, touch, erase, epochs, find };
struct Operation {
  Verb verb{};
  IdNo key = 0;
  Version expected{};  // touch: the incarnation
  bool any = false;    // erase: any version
  No record = 0;       // create, commit; find: the subject's number
  bool admitted = false;  // create: under these conditions
  No epoch = 0, cap = 0;
  bool writes() const { return verb == Verb::create || verb == Verb::commit || verb == Verb::touch || verb == Verb::erase; }
};

// Deliberate flaws, to show that the checks see them.
struct StoreFlaws {
  bool no_version_check = false;
  bool commit_upserts = false;
};

class Universe {
 public:
  explicit Universe(StoreFlaws flaws = {}) : flaws_(flaws) { stores_.emplace_back(), stores_by_rows_.emplace("", 0); }

  Names names;

  No record(const Record& record);
  const Seen& seen(No no) const { return records_[no]; }
  No operation(const protocol::Op& op);
  const Operation& operation(No no) const { return operations_[no]; }

  // Sorted by key. Store 0 is the empty one.
  using Rows = std::vector<std::pair<IdNo, No>>;
  No store(Rows rows);
  const Rows& rows(No store) const { return stores_[store]; }
  No put(No store, IdNo key, No record);
  No drop(No store, IdNo key);

  struct After {
    No store = 0;
    Reply reply;
  };
  After apply(No store, No operation);
  // The reply as a machine is given it.
  protocol::Answer answer(Reply reply) const;

  // A moved record as it is when its grace has ended.
  No over(No record);

  // The epoch of U1 is a note that is there, or is not: it changes once.
  SessionKey epoch_key();
  Record epoch_record() const;

  // For schedules.
  std::string show(No operation) const;
  std::string show(Reply reply) const;
  std::string show_record(No record) const;

 private:
  After applied(No store, const Operation& op);
  std::optional<Said> refusal(No store, const Operation& op);
  No epoch(No store);

  StoreFlaws flaws_;
  std::deque<Seen> records_;
  std::unordered_map<std::string, No> records_by_bytes_;
  std::deque<Operation> operations_;
  std::unordered_map<std::string, No> operations_by_bytes_;
  std::deque<Rows> stores_;
  std::unordered_map<std::string, No> stores_by_rows_;
  FlatMap<std::uint64_t, After> applied_;
};

}  // namespace sancho::proof
