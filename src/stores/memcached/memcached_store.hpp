// The store over a pool of connections. Each writing verb is one loop: read the
// record, decide, and write on the condition that it is still the one that was
// read; else once more.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "stores/memcached/pool.hpp"
#include "stores/memcached/ring.hpp"

namespace sancho::memcached {

class MemcachedStore final : public SessionStore {
 public:
  MemcachedStore(const std::vector<MemcachedServer>& servers, const MemcachedOptions& options, const Clock& clock);

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override;
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override;
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override;
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override;
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;
  StoreTraits traits() const override;
  std::string name() const override { return pool_.name(); }
  // Asks every server whether it will do; one must.
  void setup() override;

 private:
  // What a verb decides on seeing what is there: an answer, and what to write
  // before it is true.
  struct Nothing {};
  struct Removal {};
  template <class Answer>
  struct Decision {
    Answer answer;
    std::variant<Nothing, Record, Removal> write = Nothing{};
  };
  // Calls `decide` with the record there is, or nothing, until what it decides
  // is done.
  template <class Answer, class Decide>
  Answer change(const SessionKey& key, Deadline deadline, Decide decide);

  std::string name_of(const SessionKey& key) const { return prefix_ + key.hex(); }
  std::optional<Connection::Item> first_look(Pool::Lease& lease, const std::string& name, Deadline deadline) const;
  std::optional<Record> record_in(const std::optional<Connection::Item>& item) const;
  void require_writable(const Record& record) const;

  const Clock& clock_;
  Duration open_timeout_;
  std::string prefix_;
  Ring ring_;
  Pool pool_;
};

}  // namespace sancho::memcached
