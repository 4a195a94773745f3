// The blocking store: the verbs, carried out over a pool of connections.
#pragma once

#include "stores/pool.hpp"
#include "stores/postgresql/connect.hpp"
#include "stores/postgresql/verbs.hpp"

namespace sancho::postgresql {

class PostgresqlStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  PostgresqlStore(std::string_view uri, const PostgresqlOptions& options)
      : verbs_(uri, options),
        connector_(verbs_.place(), verbs_.admittance(), verbs_.statements()),
        pool_(options.connections, verbs_.name(), [this](Deadline deadline) { return connector_.open(deadline); }) {}

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override {
    return carry_out(verbs_.load(key, deadline));
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override {
    return carry_out(verbs_.create(key, record, deadline, admission));
  }
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record,
                      Deadline deadline) override {
    return carry_out(verbs_.commit(key, expected, record, deadline));
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override {
    return carry_out(verbs_.touch(key, incarnation, accessed, deadline));
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override {
    return carry_out(verbs_.erase(key, expected, deadline));
  }
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override {
    return carry_out(verbs_.sweep(request, deadline));
  }
  StoreTraits traits() const override { return verbs_.traits(); }
  std::string name() const override { return verbs_.name(); }
  void setup() override;

  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }
  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override {
    return carry_out(verbs_.find_by_subject(subject, deadline));
  }
  EpochsSeen epochs(std::string_view subject, Deadline deadline) override {
    return carry_out(verbs_.epochs(subject, deadline));
  }
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override {
    carry_out(verbs_.set_epoch(subject, epoch, until, deadline));
  }
  void walk(const Each& each, Deadline deadline) override { carry_out(verbs_.walk(deadline), &each); }
  std::size_t count(Deadline deadline) override { return carry_out(verbs_.count(deadline)); }

 private:
  template <class T>
  T carry_out(Conversation<T> talk, const Each* each = nullptr) {
    Floor floor(talk);
    while (const Wish* wish = floor.next()) grant(*wish, floor, each);
    return talk.result();
  }
  void grant(const Wish& wish, Floor& floor, const Each* each);
  void exchange(Exchange& what);

  Verbs verbs_;
  Connector connector_;
  Pool<Connection> pool_;
};

}  // namespace sancho::postgresql
