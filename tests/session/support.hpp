// A browser and an application in one process, for tests of sessions.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

// Keeps what it hears.
class Ear : public Observer {
 public:
  void on_event(const Event& e) override { heard.push_back(e.kind); }
  std::size_t count(EventKind kind) const { return static_cast<std::size_t>(std::count(heard.begin(), heard.end(), kind)); }
  std::vector<EventKind> heard;
};

// A store that counts its calls, and can be made to fail.
class Spy : public SessionStore {
 public:
  explicit Spy(std::shared_ptr<SessionStore> inner) : inner_(std::move(inner)) {}
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return call(), inner_->load(k, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override { return call(), ++writes, inner_->create(k, r, d, a); }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override { return call(), ++writes, inner_->commit(k, v, r, d); }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override { return call(), ++touches, inner_->touch(k, i, t, d); }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override { return call(), ++writes, inner_->erase(k, v, d); }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return call(), inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return inner_->subjects(); }
  Scan* scan() override { return inner_->scan(); }

  void reset() { calls = writes = touches = 0; }
  std::size_t calls = 0, writes = 0, touches = 0;
  std::optional<Trouble> fail;

 private:
  void call() {
    ++calls;
    if (fail) throw StoreError(*fail, "the store is down, for a test");
  }
  std::shared_ptr<SessionStore> inner_;
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
  explicit App(Policy policy = plain_policy()) : sessions(store, std::move(policy), {.clock = clock, .observer = &ear}) {}

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
  ManualClock clock;
  Ear ear;
  std::shared_ptr<Spy> store = std::make_shared<Spy>(open_memory_store(clock));
  SessionManager<S> sessions;
};

}  // namespace sancho::test
