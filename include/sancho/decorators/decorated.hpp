// # A store around a store
//
// What all decorators share: each verb and each power of the store inside, led
// through one function. To write a decorator, derive and write `through`:
//
//     class Logged final : public sancho::Decorated<Logged> {
//      public:
//       using Decorated::Decorated;
//       template <class Call>
//       auto through(sancho::StoreVerb verb, sancho::Deadline deadline, Call call) {
//         log(to_string(verb));
//         return call(deadline);
//       }
//     };
//
// `call` does it, by the deadline it is given, and returns the answer; it may
// be called once, or not at all. Traits and name are those of the store inside,
// and so are its powers: a decorator has neither more of them nor fewer. Only
// `never_waits` is false, because `through` may wait: a decorator that does not
// has `bool may_wait() const override { return false; }`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// What can be asked of a store.
enum class StoreVerb : std::uint8_t {
  load, create, commit, touch, erase, sweep,  // the six
  find_by_subject, epochs, set_epoch,         // the powers
  walk, count,
  setup,
};
inline constexpr std::size_t store_verbs = 12;

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(StoreVerb verb);

// Can it change anything?
constexpr bool writes(StoreVerb verb) {
  using enum StoreVerb;
  return verb == create || verb == commit || verb == touch || verb == erase || verb == sweep || verb == set_epoch;
}

// `Base` is `SessionStore`, or an interface that adds to it.
template <class Self, class Base = SessionStore>
class Decorated : public Base, public SubjectIndex, public Epochs, public Scan, public Routing, public Health {
 public:
  explicit Decorated(std::shared_ptr<SessionStore> inner) : inner_(std::move(inner)) {
    if (!inner_) throw ConfigError("a decorator needs a store to decorate");
  }

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override {
    return self().through(StoreVerb::load, deadline, [&](Deadline d) { return inner_->load(key, d); });
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission = nullptr) override {
    return self().through(StoreVerb::create, deadline,
                          [&](Deadline d) { return inner_->create(key, record, d, admission); });
  }
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record,
                      Deadline deadline) override {
    return self().through(StoreVerb::commit, deadline,
                          [&](Deadline d) { return inner_->commit(key, expected, record, d); });
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override {
    return self().through(StoreVerb::touch, deadline,
                          [&](Deadline d) { return inner_->touch(key, incarnation, accessed, d); });
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override {
    return self().through(StoreVerb::erase, deadline, [&](Deadline d) { return inner_->erase(key, expected, d); });
  }
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override {
    return self().through(StoreVerb::sweep, deadline, [&](Deadline d) { return inner_->sweep(request, d); });
  }

  StoreTraits traits() const override {
    auto traits = inner_->traits();
    if (may_wait()) traits.never_waits = false;
    return traits;
  }
  std::string name() const override { return inner_->name(); }
  // Comes without a deadline: the one it is given here is far away.
  void setup() override {
    self().through(StoreVerb::setup, Deadline::after(std::chrono::hours(1)), [&](Deadline) { inner_->setup(); });
  }

  SubjectIndex* subjects() override { return inner_->subjects() ? this : nullptr; }
  Epochs* epochs() override { return inner_->epochs() ? this : nullptr; }
  Scan* scan() override { return inner_->scan() ? this : nullptr; }
  Routing* routing() override { return inner_->routing() ? this : nullptr; }
  Health* health() override { return inner_->health() ? this : nullptr; }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override {
    return self().through(StoreVerb::find_by_subject, deadline,
                          [&](Deadline d) { return inner_->subjects()->find_by_subject(subject, d); });
  }
  EpochsSeen epochs(std::string_view subject, Deadline deadline) override {
    return self().through(StoreVerb::epochs, deadline,
                          [&](Deadline d) { return inner_->epochs()->epochs(subject, d); });
  }
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override {
    self().through(StoreVerb::set_epoch, deadline,
                   [&](Deadline d) { inner_->epochs()->set_epoch(subject, epoch, until, d); });
  }
  // What `each` throws is its caller's, and no trouble with the store: it ends
  // the walk and is thrown on from outside of it.
  void walk(const Each& each, Deadline deadline) override {
    std::exception_ptr callers;
    const Each guarded = [&](const KeyedRecord& keyed) {
      try {
        return each(keyed);
      } catch (...) {
        callers = std::current_exception();
        return false;
      }
    };
    self().through(StoreVerb::walk, deadline, [&](Deadline d) { inner_->scan()->walk(guarded, d); });
    if (callers) std::rethrow_exception(callers);
  }
  std::size_t count(Deadline deadline) override {
    return self().through(StoreVerb::count, deadline, [&](Deadline d) { return inner_->scan()->count(d); });
  }
  // These ask nobody.
  std::uint32_t tag_of(std::string_view subject) override { return inner_->routing()->tag_of(subject); }
  bool can_read() const override {
    const auto* known = inner_->health();
    return !known || known->can_read();
  }
  bool can_write() const override {
    const auto* known = inner_->health();
    return !known || known->can_write();
  }

 protected:
  // Can `through` take longer than the call it leads through?
  virtual bool may_wait() const { return true; }
  SessionStore& inner() const { return *inner_; }

 private:
  Self& self() { return static_cast<Self&>(*this); }
  std::shared_ptr<SessionStore> inner_;
};

}  // namespace sancho
