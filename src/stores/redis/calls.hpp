// # Verbs as commands, replies as answers
//
// What is sent for each verb and what its reply means. Pure: the blocking store
// and any other run the same calls over transports of their own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sancho/store.hpp"
#include "stores/redis/keys.hpp"
#include "stores/redis/reply.hpp"
#include "stores/redis/scripts.hpp"
#include "stores/redis/slot.hpp"

namespace sancho::redis {

// One command, on its way to whichever node has its keys.
struct Call {
  Command words;  // without a script: the command itself; with one: its keys and arguments
  const Script* script = nullptr;
  std::size_t keys = 0;     // how many of a script's words are keys
  Slot slot = 0;            // where these are
  bool writes = true;       // its answer being lost, it may have been done
  bool again = false;       // to send it twice does no harm
  bool replicated = false;  // wait for replicas, if that is asked for

  // Puts it behind what is to be sent; `by_text` for a server that does not know the
  // script.
  void put_into(Wire& wire, bool by_text) const;
};

// Where a record with a subject has its place; all four are in one slot.
struct Placed {
  SubjectPlace place;
  std::uint32_t everyone = 0;  // the tag under which everyone's epoch is
};

class Calls {
 public:
  // `keep`: how long what has expired waits for a sweep.
  Calls(std::string store, const std::string& name_space, Duration keep);

  const Keys& keys() const { return keys_; }

  Call load(const std::string& record_name) const;
  // What `load` of the key's record puts into a wire, put into `room`; empty if that
  // is too small.
  std::string_view put_load(const SessionKey& key, std::span<char> room) const;
  Call create(const SessionKey& key, const Record& record, const Placed* placed, const Admission* admission,
              const std::vector<std::string>& members) const;
  Call commit(const SessionKey& key, const Version& expected, const Record& record, const SubjectPlace* place) const;
  Call touch(const SessionKey& key, std::uint64_t incarnation, Time accessed) const;
  Call erase(const SessionKey& key, const std::optional<Version>& expected) const;
  Call evict(const std::string& record_name, const std::optional<Time>& accessed_before) const;

  Call members(const SubjectPlace& place) const;
  Call prune(const SubjectPlace& place, std::string_view subject, const std::vector<std::string>& members) const;
  Call head(const std::string& record_name) const;  // without subject and payload

  Call epochs(const Placed& placed) const;
  Call everyone(std::uint32_t tag) const;
  Call set_epoch(const SubjectPlace& place, std::uint64_t epoch, Time until) const;
  Call set_everyone(std::uint32_t tag, std::uint64_t epoch, Time until) const;

  Call time() const;
  Call meta() const;
  Call write_meta(const std::string& schema, const std::string& secret) const;

  std::optional<Record> loaded(const Reply& reply) const;
  // `members` is filled where the call has to be made again with them.
  std::optional<CreateAnswer> created(const Reply& reply, std::vector<std::string>& members) const;
  CommitAnswer committed(const Reply& reply) const;
  TouchAnswer touched(const Reply& reply) const;
  EraseAnswer erased(const Reply& reply) const;
  void add_evicted(const Reply& reply, SweepAnswer& answer) const;

 private:
  struct Word;
  Word word_of(const Reply& reply) const;
  [[noreturn]] void strange(const std::string& value) const;
  [[noreturn]] void not_understood() const;
  std::string keep() const { return std::to_string(keep_.count()); }

  std::string store_;
  Keys keys_;
  Duration keep_;
  std::string load_begins_;  // up to the name's end, which is the key's
};

}  // namespace sancho::redis
