// Threads that watch many sessions.
#include "sancho/session_watcher.hpp"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>

#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// What callbacks tell, from whatever thread.
class Told {
 public:
  void operator()(SessionEnd end) {
    const std::lock_guard lock(mutex_);
    ends_.push_back(end);
    changed_.notify_all();
  }
  // Waits until it has been told so often, for much longer than it should take.
  std::vector<SessionEnd> wait(std::size_t n, Duration most = 20s) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [&] { return ends_.size() >= n; });
    return ends_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SessionEnd> ends_;
};

// One that hears from several threads.
class SafeEar : public Ear {
 public:
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    Ear::on_event(event);
  }

 private:
  std::mutex mutex_;
};

// A store whose loads go through `before`, if there is one.
class Gated : public SessionStore, public SubjectIndex {
 public:
  explicit Gated(std::shared_ptr<SessionStore> inner) : inner_(std::move(inner)) {}
  std::optional<Record> load(const SessionKey& k, Deadline d) override {
    const auto n = loads.fetch_add(1);
    if (before) before(n);
    return inner_->load(k, d);
  }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override {
    return inner_->create(k, r, d, a);
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    return inner_->commit(k, v, r, d);
  }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override {
    return inner_->touch(k, i, t, d);
  }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override {
    return inner_->erase(k, v, d);
  }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return inner_->epochs(); }
  std::vector<KeyedRecord> find_by_subject(std::string_view s, Deadline d) override {
    return inner_->subjects()->find_by_subject(s, d);
  }

  std::function<void(int)> before;  // set while nobody loads
  std::atomic<int> loads = 0;

 private:
  std::shared_ptr<SessionStore> inner_;
};

// Chance that is none for the pauses once it is told: these follow.
class Pauses : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    if (broken) throw RandomError("no chance, for a test");
    if (out.size() != sizeof(std::uint64_t) || next == given.size()) return system_random().fill(out);
    std::memcpy(out.data(), &given[next++], out.size());
  }
  std::vector<std::uint64_t> given;
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> broken = false;
};

struct Watcher : testing::Test {
  // A store for several threads, and no spy.
  std::shared_ptr<SessionStore> store = open_memory_store();
  SafeEar ear;
  SessionManager<ShopSession> sessions{store, plain_policy(), {.observer = &ear}};
  WatchOptions quick{.interval = 20ms};

  SessionTicket log_in(const std::string& name) {
    const Request request;
    auto scope = sessions.start_request(request);
    scope->set_user(name);
    scope.finish();
    return scope.ticket().value();
  }
};

TEST_F(Watcher, TellsOnceOfEachSessionThatHasEndedAndOfNoOther) {
  SessionWatcher watcher(sessions, quick, 3);
  Told adas, bobs;
  std::vector<WatchedSession> watched;
  for (int i = 0; i < 50; ++i) {
    watched.push_back(watcher.watch(log_in("ada"), std::ref(adas)));
    watched.push_back(watcher.watch(log_in("bob"), std::ref(bobs)));
  }
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(adas.wait(0).size(), 0u);
  sessions.end_sessions_of("ada");
  EXPECT_EQ(adas.wait(50), std::vector<SessionEnd>(50, SessionEnd::logged_out));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(adas.wait(0).size(), 50u);
  EXPECT_EQ(bobs.wait(0).size(), 0u);
  EXPECT_EQ(watched[0].ended(), SessionEnd::logged_out);
  EXPECT_EQ(watched[1].ended(), std::nullopt);
}

TEST_F(Watcher, TellsWithinASecondByDefault) {
  SessionWatcher watcher(sessions);
  auto best = std::chrono::steady_clock::duration::max();
  // Other programs may take the processors away for a while, but not each time.
  for (int i = 0; i < 5 && best >= 1s; ++i) {
    Told told;
    const auto watched = watcher.watch(log_in("ada"), std::ref(told));
    sessions.end_sessions_of("ada");
    const auto began = std::chrono::steady_clock::now();
    ASSERT_EQ(told.wait(1).size(), 1u);
    best = std::min(best, std::chrono::steady_clock::now() - began);
  }
  EXPECT_LT(best, 1s);
}

TEST_F(Watcher, WhoHasLeftIsNotTold) {
  SessionWatcher watcher(sessions, quick);
  Told told;
  {
    auto first = watcher.watch(log_in("ada"), std::ref(told));
    auto second = watcher.watch(log_in("ada"), std::ref(told));
    first = std::move(second);
    first = {};
    EXPECT_EQ(first.ended(), std::nullopt);
    first.used();
  }
  sessions.end_sessions_of("ada");
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(told.wait(0).size(), 0u);
}

TEST_F(Watcher, AConnectionMayGoFromWithinItsCallbackOrAfterTheWatcher) {
  WatchedSession left;
  Told told;
  {
    SessionWatcher watcher(sessions, quick);
    std::optional<WatchedSession> watched;
    left = watcher.watch(log_in("bob"), std::ref(told));
    const auto ticket = log_in("ada");
    std::mutex mutex;
    std::unique_lock lock(mutex);
    watched = watcher.watch(ticket, [&](SessionEnd end) {
      { const std::lock_guard wait_for_it(mutex); }
      watched.reset();
      told(end);
    });
    lock.unlock();
    sessions.end_sessions_of("ada");
    EXPECT_EQ(told.wait(1).size(), 1u);
  }
  left.used();
  EXPECT_EQ(left.ended(), std::nullopt);
}

TEST_F(Watcher, ACallbackThatThrowsIsReportedAndHoldsNobodyUp) {
  Told told;
  {
    SessionWatcher watcher(sessions, quick);
    const auto bad = watcher.watch(log_in("ada"), [](SessionEnd) { throw std::runtime_error("not now"); });
    const auto good = watcher.watch(log_in("bob"), std::ref(told));
    sessions.end_sessions_of("ada");
    while (!bad.ended()) std::this_thread::sleep_for(1ms);
    sessions.end_sessions_of("bob");
    EXPECT_EQ(told.wait(1).size(), 1u);
  }
  EXPECT_EQ(ear.count(EventKind::observer_failed), 1u);
}

struct GatedWatcher : testing::Test {
  std::shared_ptr<Gated> store = std::make_shared<Gated>(open_memory_store());
  SafeEar ear;
  Pauses pauses;
  SessionManager<ShopSession> sessions{store, plain_policy(), {.random = pauses, .observer = &ear}};
  Told told;

  SessionTicket log_in(const std::string& name) {
    const Request request;
    auto scope = sessions.start_request(request);
    scope->set_user(name);
    scope.finish();
    return scope.ticket().value();
  }
};

TEST_F(GatedWatcher, ALookThatTakesLongHoldsUpNobodyButItsOwnThread) {
  const auto slow = log_in("bob"), other = log_in("ada");
  sessions.end_sessions_of("ada");
  std::promise<void> over;
  const auto wait = over.get_future().share();
  const int first = store->loads;
  store->before = [&](int n) {
    if (n == first) wait.wait();
  };
  SessionWatcher watcher(sessions, {.interval = 1s}, 2);
  std::this_thread::sleep_for(50ms);  // both wait for the first
  pauses.given = {200, 210};          // and the second is not the next, when it comes
  Told bobs;
  const auto one = watcher.watch(slow, std::ref(bobs));
  const auto two = watcher.watch(other, std::ref(told));
  const auto told_while_it_lasted = told.wait(1, 3s).size();
  over.set_value();
  EXPECT_EQ(told_while_it_lasted, 1u);
}

TEST_F(GatedWatcher, WhateverIsThrownItIsLookedAgain) {
  const auto ticket = log_in("ada");
  sessions.end_sessions_of("ada");
  const int first = store->loads;
  store->before = [&](int n) {
    if (n == first) throw std::bad_alloc();
    if (n == first + 1) throw 42;
  };
  SessionWatcher watcher(sessions, {.interval = 20ms});
  const auto watched = watcher.watch(ticket, std::ref(told));
  EXPECT_EQ(told.wait(1), std::vector<SessionEnd>{SessionEnd::logged_out});
  EXPECT_EQ(ear.count(EventKind::store_unavailable), 1u);
}

TEST_F(GatedWatcher, APauseThatCannotBeDrawnIsTheWholeInterval) {
  const auto ticket = log_in("ada");
  pauses.broken = true;
  SessionWatcher watcher(sessions, {.interval = 20ms});
  const int first = store->loads;
  const auto watched = watcher.watch(ticket, std::ref(told));
  while (store->loads < first + 3) std::this_thread::sleep_for(1ms);
  pauses.broken = false;
  sessions.end_sessions_of("ada");
  EXPECT_EQ(told.wait(1).size(), 1u);
}

// Each look takes 100 ms of it: fifty would be held for five seconds.
TEST_F(GatedWatcher, AFrozenStoreHoldsNobodyBeyondTheLimit) {
  const auto ticket = log_in("ada");
  store->before = [](int) {
    std::this_thread::sleep_for(100ms);
    throw StoreError(Trouble::unavailable, "frozen, for a test");
  };
  const auto began = std::chrono::steady_clock::now();
  SessionWatcher watcher(sessions, {.interval = 100ms, .outage_limit = 500ms});
  std::vector<WatchedSession> watched;
  for (int i = 0; i < 50; ++i) watched.push_back(watcher.watch(ticket, std::ref(told)));
  EXPECT_EQ(told.wait(50), std::vector<SessionEnd>(50, SessionEnd::outage));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 500ms);
  EXPECT_LT(took, 2s);
}

TEST_F(GatedWatcher, WhoWaitsBehindOneThatFailedIsAskedForWhenTheStoreIsBack) {
  const auto ticket = log_in("ada");
  const int first = store->loads;
  store->before = [&](int n) {
    if (n == first) throw StoreError(Trouble::unavailable, "down once, for a test");
  };
  SessionWatcher watcher(sessions, {.interval = 20ms, .outage_limit = 10s});
  std::vector<WatchedSession> watched;
  for (int i = 0; i < 10; ++i) watched.push_back(watcher.watch(ticket, std::ref(told)));
  while (store->loads < first + 30) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(told.wait(0).size(), 0u);
}

TEST_F(Watcher, NeedsAThreadAndAnInterval) {
  EXPECT_THROW(SessionWatcher(sessions, {.interval = 0ms}), ConfigError);
  EXPECT_THROW(SessionWatcher(sessions, {}, 0), ConfigError);
}

}  // namespace
}  // namespace sancho::test
