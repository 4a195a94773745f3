// # sancho_request_counts
//
// What each kind of request asks of its store and of the heap, on `memory:`, as
// JSON: `{"read": {"calls": {"load": 1}, "allocations": 0}, ...}`. Every kind is
// played twice and the second is counted, so that what is made on first use is not.
// `bench/guards.py` holds the counts against what they are to be.
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>

#include "allocations.hpp"
#include "sancho/stores/memory.hpp"
#include "visits.hpp"

namespace sancho::bench {
namespace {

using namespace std::chrono_literals;

class Counting final : public SessionStore, SubjectIndex, Epochs {
 public:
  explicit Counting(const Clock& clock) : inner_(open_memory_store(clock)) {}

  std::optional<Record> load(const SessionKey& k, Deadline d) override { return ++calls.load, inner_->load(k, d); }
  bool load_into(const SessionKey& k, Record& r, Deadline d) override { return ++calls.load, inner_->load_into(k, r, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override {
    return ++calls.create, inner_->create(k, r, d, a);
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    return ++calls.commit, inner_->commit(k, v, r, d);
  }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override {
    return ++calls.touch, inner_->touch(k, i, t, d);
  }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override {
    return ++calls.erase, inner_->erase(k, v, d);
  }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override {}
  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }

  struct Calls {
    int load = 0, create = 0, commit = 0, touch = 0, erase = 0, find = 0, epochs = 0, set_epoch = 0;
  } calls;

 private:
  std::vector<KeyedRecord> find_by_subject(std::string_view s, Deadline d) override {
    return ++calls.find, inner_->subjects()->find_by_subject(s, d);
  }
  EpochsSeen epochs(std::string_view s, Deadline d) override { return ++calls.epochs, inner_->epochs()->epochs(s, d); }
  void set_epoch(std::string_view s, std::uint64_t e, Time until, Deadline d) override {
    ++calls.set_epoch, inner_->epochs()->set_epoch(s, e, until, d);
  }

  std::unique_ptr<SessionStore> inner_;
};

class Counts {
 public:
  // `play` is one request; `before` brings about what it is to find.
  void count(const char* kind, const std::function<void()>& play, const std::function<void()>& before = [] {}) {
    before(), play(), before();
    store().calls = {};
    allocations = 0;
    play();
    const auto allocated = allocations;
    const auto& c = store().calls;
    std::printf("%s\n  \"%s\": {\"calls\": {", first_ ? "{" : ",", kind);
    const char* separator = "";
    for (const auto& [name, n] : std::map<std::string, int>{{"load", c.load}, {"create", c.create}, {"commit", c.commit},
             {"touch", c.touch}, {"erase", c.erase}, {"find_by_subject", c.find}, {"epochs", c.epochs}, {"set_epoch", c.set_epoch}})
      if (n != 0) std::printf("%s\"%s\": %d", separator, name.c_str(), n), separator = ", ";
    std::printf("}, \"allocations\": %zu}", allocated);
    first_ = false;
  }
  ~Counts() { std::puts("\n}"); }

  Visits visits{[](const Clock& clock) -> std::shared_ptr<SessionStore> { return std::make_shared<Counting>(clock); }};

 private:
  Counting& store() { return static_cast<Counting&>(*visits.store); }
  bool first_ = true;
};

void count_all() {
  Counts counts;
  auto& v = counts.visits;
  std::string cookie = v.log_in("ada"), unknown = cookie, token;
  unknown.back() = unknown.back() == 'A' ? 'E' : 'A';
  const auto newly_logged_in = [&] { cookie = v.log_in("ada"); };
  const auto with_token = [&] { newly_logged_in(), v.visit(cookie, [&](auto& s) { token = s->create_form_token(); }); };

  counts.count("stranger", [&] { v.stranger(); });
  counts.count("unknown_cookie", [&] { v.read(unknown); });
  counts.count("log_in", [&] { v.log_in("ada"); });
  counts.count("look", [&] { v.visit(cookie, [](auto&) {}); });
  counts.count("read", [&] { v.read(cookie); });
  counts.count("read_slot", [&] { v.visit(cookie, [](auto& s) { (void)s->template get<std::string>("cart"); }); });
  counts.count("write", [&] { v.write(cookie); });
  counts.count("write_same_value", [&] { v.visit(cookie, [](auto& s) { s->set("cart", std::string(60, 'x')); }); });
  counts.count("read_when_touch_is_due", [&] { v.read(cookie); }, [&] { v.clock.advance(2min); });
  counts.count("read_when_renewal_is_due", [&] { cookie = v.visit(cookie, [](auto& s) { (void)s->get_user(); }).value(); },
               [&] {
                 newly_logged_in();
                 for (int i = 0; i < 2; ++i) v.clock.advance(20min), v.read(cookie);
                 v.clock.advance(21min);
               });
  newly_logged_in();
  counts.count("form_token_created", [&] { v.visit(cookie, [](auto& s) { (void)s->create_form_token(); }); });
  counts.count("form_token_consumed", [&] { v.visit(cookie, [&](auto& s) { (void)s->consume_form_token(token); }); }, with_token);
  counts.count("log_out", [&] { v.visit(cookie, [](auto& s) { s.expire_session(); }); }, newly_logged_in);
  counts.count("logged_out_cookie", [&] { v.read(cookie); },
               [&] { newly_logged_in(), v.visit(cookie, [](auto& s) { s.expire_session(); }); });
}

}  // namespace
}  // namespace sancho::bench

int main() { sancho::bench::count_all(); }
