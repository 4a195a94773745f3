// The blocking store: the verbs, carried out by the blocking client.
#pragma once

#include "stores/redis/client.hpp"
#include "stores/redis/verbs.hpp"

namespace sancho::redis {

class RedisStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan, public Routing {
 public:
  RedisStore(const RedisOptions& options, const std::string& name)
      : client_(options, name), verbs_(options, client_.dealings()) {
    client_.carry_out(verbs_.open());
  }

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override {
    return client_.carry_out(verbs_.load(key, deadline));
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override {
    return client_.carry_out(verbs_.create(key, record, deadline, admission));
  }
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record,
                      Deadline deadline) override {
    return client_.carry_out(verbs_.commit(key, expected, record, deadline));
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override {
    return client_.carry_out(verbs_.touch(key, incarnation, accessed, deadline));
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override {
    return client_.carry_out(verbs_.erase(key, expected, deadline));
  }
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override {
    return client_.carry_out(verbs_.sweep(request, deadline));
  }
  StoreTraits traits() const override { return verbs_.traits(); }
  std::string name() const override { return verbs_.name(); }
  void setup() override { client_.carry_out(verbs_.setup()); }

  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }
  Routing* routing() override { return this; }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override {
    return client_.carry_out(verbs_.find_by_subject(subject, deadline));
  }
  EpochsSeen epochs(std::string_view subject, Deadline deadline) override {
    return client_.carry_out(verbs_.epochs(subject, deadline));
  }
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override {
    client_.carry_out(verbs_.set_epoch(subject, epoch, until, deadline));
  }
  void walk(const Each& each, Deadline deadline) override { client_.carry_out(verbs_.walk(deadline), each); }
  std::size_t count(Deadline deadline) override { return client_.carry_out(verbs_.count(deadline)); }
  std::uint32_t tag_of(std::string_view subject) override { return verbs_.tag_of(subject); }

 private:
  Client client_;
  Verbs verbs_;
};

}  // namespace sancho::redis
