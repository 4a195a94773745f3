// A coroutine store in memory, whose calls a test can delay, fail, hold up, and
// whose answers it can lose.
#pragma once

#include <atomic>
#include <functional>

#include "loop.hpp"
#include "sancho/async/store.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

enum class Step { load, create, commit, touch, erase, sweep, epochs, set_epoch, find };
inline bool writes(Step step) { return step == Step::create || step == Step::commit; }

class SlowStore final : public AsyncSessionStore, public AsyncSubjectIndex, public AsyncEpochs, public AsyncScan {
 public:
  explicit SlowStore(const Clock& clock) : inner_(open_memory_store(clock)) {}

  // Awaited before a call does anything, and after it has: they may wait, or
  // throw what the call then throws. `n` counts the calls since `reset`.
  using Hook = std::function<awaitable<void>(Step step, int n)>;
  Hook before, after;
  void reset() { calls_ = 0, before = {}, after = {}; }
  int calls() const { return calls_; }
  SessionStore& inner() { return *inner_; }

  awaitable<std::optional<Record>> load(SessionKey key, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::load, n);
    auto answer = inner_->load(key, d);
    co_await hook(after, Step::load, n);
    co_return answer;
  }
  awaitable<CreateAnswer> create(SessionKey key, Record record, Deadline d,
                                 std::optional<Admission> admission) override {
    const int n = ++calls_;
    co_await hook(before, Step::create, n);
    auto answer = inner_->create(key, record, d, admission ? &*admission : nullptr);
    co_await hook(after, Step::create, n);
    co_return answer;
  }
  awaitable<CommitAnswer> commit(SessionKey key, Version expected, Record record, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::commit, n);
    auto answer = inner_->commit(key, expected, record, d);
    co_await hook(after, Step::commit, n);
    co_return answer;
  }
  awaitable<TouchAnswer> touch(SessionKey key, std::uint64_t incarnation, Time accessed, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::touch, n);
    auto answer = inner_->touch(key, incarnation, accessed, d);
    co_await hook(after, Step::touch, n);
    co_return answer;
  }
  awaitable<EraseAnswer> erase(SessionKey key, std::optional<Version> expected, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::erase, n);
    auto answer = inner_->erase(key, expected, d);
    co_await hook(after, Step::erase, n);
    co_return answer;
  }
  awaitable<SweepAnswer> sweep(SweepRequest request, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::sweep, n);
    auto answer = inner_->sweep(request, d);
    co_await hook(after, Step::sweep, n);
    co_return answer;
  }
  awaitable<void> setup() override { co_return; }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return "slow memory:"; }
  AsyncSubjectIndex* subjects() override { return this; }
  AsyncEpochs* epochs() override { return this; }
  AsyncScan* scan() override { return this; }

  awaitable<std::vector<KeyedRecord>> find_by_subject(std::string subject, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::find, n);
    auto answer = inner_->subjects()->find_by_subject(subject, d);
    co_await hook(after, Step::find, n);
    co_return answer;
  }
  awaitable<EpochsSeen> epochs(std::string subject, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::epochs, n);
    auto answer = inner_->epochs()->epochs(subject, d);
    co_await hook(after, Step::epochs, n);
    co_return answer;
  }
  awaitable<void> set_epoch(std::string subject, std::uint64_t epoch, Time until, Deadline d) override {
    const int n = ++calls_;
    co_await hook(before, Step::set_epoch, n);
    inner_->epochs()->set_epoch(subject, epoch, until, d);
    co_await hook(after, Step::set_epoch, n);
  }
  awaitable<void> walk(Each each, Deadline d) override {
    std::vector<KeyedRecord> all;
    inner_->scan()->walk([&](const KeyedRecord& k) { return all.push_back(k), true; }, d);
    for (const auto& keyed : all) {
      const bool on = co_await each(keyed);
      if (!on) co_return;
    }
  }
  awaitable<std::size_t> count(Deadline d) override { co_return inner_->scan()->count(d); }

 private:
  static awaitable<void> hook(const Hook& hook, Step step, int n) {
    if (hook) co_await hook(step, n);
  }
  std::unique_ptr<SessionStore> inner_;
  std::atomic<int> calls_ = 0;
};

}  // namespace sancho::test
