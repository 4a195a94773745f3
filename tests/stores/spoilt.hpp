// # The decorator that mutants are made with
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "mutants.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {

// A store over another one, each verb to be replaced. `past` remembers what
// was written, so that a mutant can show what has expired. One memory store
// stands behind all handles of a venue, so that the suite can open it twice
// and close it.
struct Spoilt final : SessionStore, SubjectIndex, Epochs, Scan {
  explicit Spoilt(SessionStore& store) : in(store) {}
  SessionStore& in;
  std::mutex mutex;
  std::map<SessionKey, Record> past;

  std::function<std::optional<Record>(Spoilt&, const SessionKey&)> on_load;
  std::function<bool(Spoilt&, const SessionKey&, Record&)> on_load_into;
  std::function<CreateAnswer(Spoilt&, const SessionKey&, const Record&)> on_create;
  std::function<CommitAnswer(Spoilt&, const SessionKey&, const Version&, const Record&)> on_commit;
  std::function<TouchAnswer(Spoilt&, const SessionKey&, std::uint64_t, Time)> on_touch;
  std::function<EraseAnswer(Spoilt&, const SessionKey&, const std::optional<Version>&)> on_erase;
  std::function<SweepAnswer(Spoilt&, const SweepRequest&)> on_sweep;
  std::function<std::vector<KeyedRecord>(Spoilt&, std::string_view)> on_find;
  std::function<void(Spoilt&, const std::function<bool(const KeyedRecord&)>&)> on_scan;
  std::function<std::size_t(Spoilt&)> on_count;
  std::function<CreateAnswer(Spoilt&, const SessionKey&, const Record&, const Admission&)> on_admit;
  std::function<EpochsSeen(Spoilt&, std::string_view)> on_epochs;
  std::function<void(Spoilt&, std::string_view, std::uint64_t, Time)> on_set_epoch;
  std::function<void(Spoilt&)> on_setup;
  std::atomic<int> touches_so_far = 0;
  bool has_name = true, has_epochs = true, has_scan = true;
  bool ignores_admission = false;  // for want of epochs

  static inline Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }
  void remember(const SessionKey& key, const Record& record) {
    const std::lock_guard lock(mutex);
    past[key] = record;
  }
  std::optional<Record> recall(const SessionKey& key) {
    const std::lock_guard lock(mutex);
    const auto at = past.find(key);
    return at == past.end() ? std::nullopt : std::optional(at->second);
  }
  std::map<SessionKey, Record> all_past() {
    const std::lock_guard lock(mutex);
    return past;
  }

  std::optional<Record> load(const SessionKey& key, Deadline d) override { return on_load ? on_load(*this, key) : in.load(key, d); }
  bool load_into(const SessionKey& key, Record& r, Deadline d) override {
    return on_load_into ? on_load_into(*this, key, r) : SessionStore::load_into(key, r, d);
  }
  CreateAnswer create(const SessionKey& key, const Record& r, Deadline d, const Admission* admission) override {
    if (admission && !has_epochs && !ignores_admission) throw StoreError(Trouble::refused, "it has no epochs");
    auto answer = on_create                             ? on_create(*this, key, r)
                  : admission && has_epochs && on_admit ? on_admit(*this, key, r, *admission)
                                                        : in.create(key, r, d, has_epochs ? admission : nullptr);
    if (std::holds_alternative<Done>(answer)) remember(key, r);
    return answer;
  }
  CommitAnswer commit(const SessionKey& key, const Version& v, const Record& r, Deadline d) override {
    return on_commit ? on_commit(*this, key, v, r) : in.commit(key, v, r, d);
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t i, Time t, Deadline d) override {
    const auto answer = on_touch ? on_touch(*this, key, i, t) : in.touch(key, i, t, d);
    ++touches_so_far;
    return answer;
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& v, Deadline d) override {
    return on_erase ? on_erase(*this, key, v) : in.erase(key, v, d);
  }
  SweepAnswer sweep(const SweepRequest& q, Deadline d) override {
    if (on_sweep) return on_sweep(*this, q);
    if (q.accessed_before && !has_scan) throw StoreError(Trouble::refused, "it cannot list what it holds");
    return in.sweep(q, d);
  }
  // Claims all there is, so that every fact is asked.
  StoreTraits traits() const override { return {.thread_safe = true, .multiprocess_safe = true, .durable = true, .linearizable = true}; }
  std::string name() const override { return has_name ? in.name() : ""; }
  void setup() override {
    if (on_setup) on_setup(*this);
  }
  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return has_epochs ? this : nullptr; }
  Scan* scan() override { return has_scan ? this : nullptr; }
  EpochsSeen epochs(std::string_view s, Deadline d) override { return on_epochs ? on_epochs(*this, s) : in.epochs()->epochs(s, d); }
  void set_epoch(std::string_view s, std::uint64_t e, Time until, Deadline d) override {
    return on_set_epoch ? on_set_epoch(*this, s, e, until) : in.epochs()->set_epoch(s, e, until, d);
  }
  std::vector<KeyedRecord> find_by_subject(std::string_view s, Deadline d) override {
    return on_find ? on_find(*this, s) : in.subjects()->find_by_subject(s, d);
  }
  void walk(const Each& each, Deadline d) override { return on_scan ? on_scan(*this, each) : in.scan()->walk(each, d); }
  std::size_t count(Deadline d) override { return on_count ? on_count(*this) : in.scan()->count(d); }
};

using Spoil = std::function<void(Spoilt&)>;

// `shared` false: every opening is another place.
inline conformance::Factory factory(Spoil spoil, bool shared = true, Spoil on_reopening = {}) {
  return [=] {
    struct Place {
      std::unique_ptr<SessionStore> store;
      std::vector<std::unique_ptr<SessionStore>> more;
    };
    auto place = std::make_shared<Place>();
    return conformance::Venue{.open = [=](const Clock& clock) -> std::unique_ptr<SessionStore> {
      const bool first = !place->store;
      if (first) place->store = open_memory_store(clock);
      auto* in = place->store.get();
      if (!first && !shared) in = place->more.emplace_back(open_memory_store(clock)).get();
      auto store = std::make_unique<Spoilt>(*in);
      if (spoil) spoil(*store);
      if (!first && on_reopening) on_reopening(*store);
      return store;
    }};
  };
}

inline Deadline soon() { return Spoilt::soon(); }

// Overwrites: what no verb of the contract does.
inline void force(Spoilt& s, const SessionKey& key, const Record& record) {
  s.in.erase(key, std::nullopt, soon());
  s.in.create(key, record, soon());
}

// A load and a commit that are two steps where one is asked for.
inline std::optional<Record> leisurely_load(Spoilt& s, const SessionKey& key) {
  auto record = s.in.load(key, soon());
  std::this_thread::sleep_for(std::chrono::microseconds{200});
  return record;
}

// What the commit of a mutant wrote instead of the record it was given.
inline Spoil writes(std::function<void(Record& given, const Record& before)> change) {
  return [=](Spoilt& s) {
    s.on_commit = [=](Spoilt& t, const SessionKey& key, const Version& v, const Record& r) -> CommitAnswer {
      const auto before = t.in.load(key, soon());
      if (!before || before->version != v || before->subject != r.subject) return t.in.commit(key, v, r, soon());
      auto changed = r;
      changed.accessed = std::max(changed.accessed, before->accessed);
      change(changed, *before);
      force(t, key, changed);
      return Done{};
    };
  };
}

inline Spoil stores(std::function<void(Record&)> change) {
  return [=](Spoilt& s) {
    s.on_create = [=](Spoilt& t, const SessionKey& key, const Record& r) {
      auto changed = r;
      change(changed);
      return t.in.create(key, changed, soon());
    };
  };
}

inline Spoil sweeps(std::function<SweepAnswer(Spoilt&, const SweepRequest&)> how) {
  return [=](Spoilt& s) { s.on_sweep = how; };
}

// A touch that writes what it likes.
inline Spoil touches(std::function<void(Record&, Time)> change) {
  return [=](Spoilt& s) {
    s.on_touch = [=](Spoilt& t, const SessionKey& key, std::uint64_t incarnation, Time time) -> TouchAnswer {
      auto there = t.in.load(key, soon());
      if (!there || there->state != State::live || there->version.incarnation != incarnation) return Gone{};
      change(*there, time);
      force(t, key, *there);
      return Done{};
    };
  };
}

}  // namespace sancho
