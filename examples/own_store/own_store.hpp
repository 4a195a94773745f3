// # A store of your own
//
// Six verbs and what the store says of itself. This one counts the loads and
// leaves the rest to another store, and it claims what that one claims. Powers
// it does not pass on (`subjects`, `scan`) it has not got: both are optional.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "sancho/store.hpp"

class OwnStore : public sancho::SessionStore {
 public:
  explicit OwnStore(std::unique_ptr<sancho::SessionStore> inner) : inner_(std::move(inner)) {}

  std::optional<sancho::Record> load(const sancho::SessionKey& key, sancho::Deadline deadline) override {
    ++loads_;
    return inner_->load(key, deadline);
  }
  sancho::CreateAnswer create(const sancho::SessionKey& key, const sancho::Record& record, sancho::Deadline deadline,
                              const sancho::Admission* admission) override {
    return inner_->create(key, record, deadline, admission);
  }
  sancho::CommitAnswer commit(const sancho::SessionKey& key, const sancho::Version& expected,
                              const sancho::Record& record, sancho::Deadline deadline) override {
    return inner_->commit(key, expected, record, deadline);
  }
  sancho::TouchAnswer touch(const sancho::SessionKey& key, std::uint64_t incarnation, sancho::Time accessed,
                            sancho::Deadline deadline) override {
    return inner_->touch(key, incarnation, accessed, deadline);
  }
  sancho::EraseAnswer erase(const sancho::SessionKey& key, const std::optional<sancho::Version>& expected,
                            sancho::Deadline deadline) override {
    return inner_->erase(key, expected, deadline);
  }
  sancho::SweepAnswer sweep(const sancho::SweepRequest& request, sancho::Deadline deadline) override {
    return inner_->sweep(request, deadline);
  }

  sancho::StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return "counted " + inner_->name(); }
  void setup() override { inner_->setup(); }

  // Its powers are the other's. (`sancho/decorators/decorated.hpp` does all of
  // this for stores around stores; here it stands in full.)
  sancho::SubjectIndex* subjects() override { return inner_->subjects(); }
  sancho::Epochs* epochs() override { return inner_->epochs(); }
  sancho::Scan* scan() override { return inner_->scan(); }
  sancho::Routing* routing() override { return inner_->routing(); }

  std::uint64_t loads() const { return loads_; }

 private:
  std::unique_ptr<sancho::SessionStore> inner_;
  std::atomic<std::uint64_t> loads_ = 0;  // several threads may load
};
