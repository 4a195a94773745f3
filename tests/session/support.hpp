// A browser and an application in one process, for tests of sessions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

// An event that outlives its call.
struct Heard {
  EventKind kind;
  std::string handle, subject, detail;
};

// Keeps what it hears.
class Ear : public Observer {
 public:
  void on_event(const Event& e) override {
    heard.push_back(e.kind);
    all.push_back({e.kind, std::string(e.handle.text()), std::string(e.subject), std::string(e.detail)});
    if (then) then(e);
  }
  std::size_t count(EventKind kind) const { return static_cast<std::size_t>(std::count(heard.begin(), heard.end(), kind)); }
  void clear() { heard.clear(), all.clear(); }
  std::vector<EventKind> heard;
  std::vector<Heard> all;
  std::function<void(const Event&)> then;  // to misbehave
};

enum class Verb { load, create, commit, touch, erase, sweep, epochs, find };

// A store that counts its calls, remembers what it was given, and can be made
// to fail: before it does anything, or after (an answer that is lost).
class Spy : public SessionStore, public Epochs, public SubjectIndex {
 public:
  explicit Spy(std::shared_ptr<SessionStore> inner) : inner_(std::move(inner)) {}
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return call(Verb::load), answer(inner_->load(k, d)); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override {
    return call(Verb::create), ++writes, given(k, r), answer(inner_->create(k, r, d, a));
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    return call(Verb::commit), ++writes, given(k, r), answer(inner_->commit(k, v, r, d));
  }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override { return call(Verb::touch), ++touches, answer(inner_->touch(k, i, t, d)); }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override { return call(Verb::erase), ++writes, answer(inner_->erase(k, v, d)); }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return call(Verb::sweep), answer(inner_->sweep(r, d)); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return inner_->subjects() ? this : nullptr; }
  Epochs* epochs() override { return inner_->epochs() && has_epochs ? this : nullptr; }
  std::vector<KeyedRecord> find_by_subject(std::string_view s, Deadline d) override {
    call(Verb::find);
    if (lists_nobody) return {};
    return answer(inner_->subjects()->find_by_subject(s, d));
  }
  EpochsSeen epochs(std::string_view s, Deadline d) override { return call(Verb::epochs), answer(inner_->epochs()->epochs(s, d)); }
  void set_epoch(std::string_view s, std::uint64_t e, Time until, Deadline d) override {
    call(Verb::epochs), inner_->epochs()->set_epoch(s, e, until, d);
  }
  Scan* scan() override { return inner_->scan(); }

  void reset() { calls = writes = touches = 0; }
  std::size_t calls = 0, writes = 0, touches = 0;
  bool has_epochs = true, lists_nobody = false;
  std::optional<Trouble> fail;      // every call, or
  std::optional<Verb> fail_verb;    // ... those of this verb alone
  std::size_t lose_answer_of = 0;   // of the n-th call since `reset`
  std::string bytes;                // all keys and records it was ever given
  std::function<void(Verb)> before; // called first, when no other call is in progress

 private:
  void call(Verb verb) {
    ++calls;
    if (fail && (!fail_verb || *fail_verb == verb)) throw StoreError(*fail, "the store is down, for a test");
    if (!before || nested_) return;
    nested_ = true;
    before(verb);
    nested_ = false;
  }
  void given(const SessionKey& k, const Record& r) { bytes.append(k.bytes()).append(encode_record(r)); }
  template <class T>
  T answer(T a) {
    if (lose_answer_of != 0 && calls == lose_answer_of) throw StoreError(Trouble::unavailable, "the answer was lost, for a test", true);
    return a;
  }
  std::shared_ptr<SessionStore> inner_;
  bool nested_ = false;
};

inline Policy plain_policy() {
  Policy p;
  p.renewal.reset();
  return p;
}

// A cookie jar: takes `Set-Cookie` lines, gives `Cookie` lines.
class Browser {
 public:
  void take(const HeaderLines& lines) {
    for (const auto& [name, value] : lines) {
      if (name != "Set-Cookie") continue;
      const auto eq = value.find('='), end = value.find(';');
      const auto cookie = value.substr(0, eq), text = value.substr(eq + 1, end - eq - 1);
      if (value.find("Max-Age=0") != std::string::npos) jar.erase(cookie);
      else jar[cookie] = text;
    }
    for (const auto& [name, value] : lines)
      if (name == "Clear-Site-Data" && value.find("\"cookies\"") != std::string::npos) jar.clear();
  }
  std::string header() const {
    std::string h;
    for (const auto& [name, value] : jar) h += (h.empty() ? "" : "; ") + name + "=" + value;
    return h;
  }
  std::map<std::string, std::string> jar;
};

template <class S = Session>
struct App {
  explicit App(Policy policy = plain_policy(), RandomSource& random = system_random())
      : sessions(store, std::move(policy), {.clock = clock, .random = random, .observer = &ear}) {}

  // A request that has begun and is not over.
  RequestScope<S> start(const Browser& browser, Request request = {}) {
    const auto header = browser.header();
    const std::string_view line = header;
    if (!header.empty()) request.cookies = {&line, 1};
    return sessions.start_request(request);
  }

  // Runs one request as this browser.
  template <class Handler>
  HeaderLines visit(Browser& browser, Handler handler, Request request = {}) {
    const auto header = browser.header();
    const std::string_view line = header;
    if (!header.empty()) request.cookies = {&line, 1};
    auto scope = sessions.start_request(request);
    if constexpr (std::invocable<Handler, S&>) handler(*scope);
    else handler(*scope, scope);
    auto lines = scope.finish();
    browser.take(lines);
    return lines;
  }

  std::size_t count() { return store->scan()->count(Deadline::after(std::chrono::seconds(5))); }
  std::vector<KeyedRecord> records() {
    std::vector<KeyedRecord> all;
    store->scan()->iter_sessions([&](const KeyedRecord& k) { return all.push_back(k), true; }, Deadline::after(std::chrono::seconds(5)));
    return all;
  }
  // Writes what no manager would, over whatever is there.
  void overwrite(const SessionKey& key, const Record& record) {
    const auto now = store->load(key, Deadline::after(std::chrono::seconds(5)));
    store->commit(key, now->version, record, Deadline::after(std::chrono::seconds(5)));
  }

  ManualClock clock;
  Ear ear;
  std::shared_ptr<Spy> store = std::make_shared<Spy>(open_memory_store(clock));
  SessionManager<S> sessions;
};

// The kind of trouble that `what` throws, or nothing.
std::optional<Trouble> trouble(auto&& what) {
  try {
    what();
    return std::nullopt;
  } catch (const StoreError& e) {
    return e.kind();
  }
}

}  // namespace sancho::test
