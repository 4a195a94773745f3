// Stores that are wrong on purpose, to see that a race is lost on them.
#pragma once

#include <memory>
#include <thread>

#include "sancho/store.hpp"

namespace sancho::races {

// Hands everything on to another store.
class Decorated : public SessionStore {
 public:
  explicit Decorated(std::shared_ptr<SessionStore> inner) : inner_(std::move(inner)) {}
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return inner_->load(k, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override { return inner_->create(k, r, d, a); }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override { return inner_->commit(k, v, r, d); }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override { return inner_->touch(k, i, t, d); }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override { return inner_->erase(k, v, d); }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return inner_->subjects(); }
  Scan* scan() override { return inner_->scan(); }

 protected:
  std::shared_ptr<SessionStore> inner_;
};

// Replaces a record whatever its version.
class VersionBlind : public Decorated {
 public:
  using Decorated::Decorated;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    auto answer = inner_->commit(k, v, r, d);
    while (auto* conflict = std::get_if<Conflict>(&answer)) {
      const auto current = conflict->current.version;
      answer = inner_->commit(k, current, r, d);
    }
    return answer;
  }
};

// `SET`, as most stores of sessions have it: writes over what is there, and
// inserts where nothing is.
class Upserting : public VersionBlind {
 public:
  using VersionBlind::VersionBlind;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    auto answer = VersionBlind::commit(k, v, r, d);
    if (std::holds_alternative<Gone>(answer) && std::holds_alternative<Done>(inner_->create(k, r, d))) return Done{};
    return answer;
  }
};

// Checks the version and then writes, in two steps: right for one thread.
class CheckThenSet : public VersionBlind {
 public:
  using VersionBlind::VersionBlind;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    const auto current = inner_->load(k, d);
    if (!current) return Gone{};
    if (current->version != v) return Conflict{*current};
    std::this_thread::yield();
    return VersionBlind::commit(k, v, r, d);
  }
};

}  // namespace sancho::races
