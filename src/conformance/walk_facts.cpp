// # Random walks beside the oracle
//
// Whatever the single facts forgot: any sequence of verbs must get the answers
// that the memory store gives, to the last byte.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "lab.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::conformance {

namespace {
std::string exact(const Record& r) { return describe(r) + " " + std::string(r.handle.text()) + " " + r.subject + " " + r.payload; }

// An answer in words, so that two can be compared and printed.
struct InWords {
  std::string operator()(const Done&) const { return "done"; }
  std::string operator()(const Gone&) const { return "gone"; }
  std::string operator()(const Absent&) const { return "absent"; }
  std::string operator()(const Refused&) const { return "refused"; }
  std::string operator()(const Taken& a) const { return "taken by " + exact(a.current); }
  std::string operator()(const Conflict& a) const { return "conflict with " + exact(a.current); }
  std::string operator()(const Removed& a) const { return "removed " + exact(a.last); }
};

class Walk {
 public:
  Walk(Lab& lab, std::uint64_t seed) : lab_(lab), random_(seed), oracle_(open_memory_store(lab.clock())) {
    for (int i = 0; i < 3; ++i) keys_.push_back(Lab::new_key());
  }

  void step() {
    const auto key = keys_[below(keys_.size())];
    switch (below(9)) {
      case 0: lab_.pass(static_cast<int>(below(5))); return;
      case 1: return sweep();
      case 2: return list();
      default: return verb(key);
    }
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  Version some_version() { return {below(2), below(3)}; }

  Record some_record() {
    auto r = lab_.new_record(all_states[below(std::size(all_states))]);
    r.version = some_version();
    r.accessed += lab_.units(1) * static_cast<Duration::rep>(below(5)) - lab_.units(2);
    r.ends = lab_.now() + lab_.units(1) * static_cast<Duration::rep>(below(40));
    r.subject = below(8) ? "ada" : "";
    r.payload.assign(below(50), static_cast<char>(below(256)));
    return r;
  }

  void verb(const SessionKey& key) {
    const auto record = some_record();
    const auto version = some_version();
    const auto which = below(6);
    const auto run = [&](SessionStore& store) -> std::string {
      const auto until = Lab::soon();
      try {
        switch (which) {
          case 0: return "create: " + std::visit(InWords{}, store.create(key, record, until));
          case 1:
          case 2: return "commit: " + std::visit(InWords{}, store.commit(key, version, record, until));
          case 3: return "touch: " + std::visit(InWords{}, store.touch(key, version.incarnation, record.accessed, until));
          case 4: return "erase: " + std::visit(InWords{}, store.erase(key, version.counter ? std::optional(version) : std::nullopt, until));
          default: break;
        }
        const auto loaded = store.load(key, until);
        return "load: " + (loaded ? exact(*loaded) : "absent");
      } catch (const StoreError& e) {
        return "trouble: " + std::string(to_string(e.kind()));
      }
    };
    compare(run(*oracle_), run(lab_.store()));
  }

  void sweep() {
    const auto run = [](SessionStore& store) {
      std::size_t removed = 0, sessions = 0;
      std::vector<Handle> handles;
      for (int calls = 0; calls < 1000; ++calls) {
        const auto answer = store.sweep({.budget = 2, .accessed_before = {}}, Lab::soon());
        removed += answer.removed;
        sessions += answer.sessions;
        handles.insert(handles.end(), answer.handles.begin(), answer.handles.end());
        if (!answer.more) break;
      }
      std::sort(handles.begin(), handles.end());
      auto words = fmt::format("sweep: {} of them {} sessions", removed, sessions);
      for (const auto& handle : handles) words += " " + std::string(handle.text());
      return words;
    };
    const auto swept = run(*oracle_);
    // Where expired records go by themselves, none is left to be told of.
    const bool alone = lab_.store().traits().sweeps_itself;
    compare(alone ? "sweep: 0 of them 0 sessions" : swept, run(lab_.store()));
  }

  void list() {
    if (lab_.store().scan()) compare_counts();
    if (!lab_.store().subjects()) return;
    const auto run = [](SessionStore& store) {
      std::vector<std::string> found;
      for (const auto& entry : store.subjects()->find_by_subject("ada", Lab::soon())) found.push_back(entry.key.hex() + exact(entry.record));
      std::sort(found.begin(), found.end());
      return fmt::format("find_by_subject: {}", fmt::join(found, "; "));
    };
    compare(run(*oracle_), run(lab_.store()));
  }

  void compare_counts() {
    compare("count: " + std::to_string(oracle_->scan()->count(Lab::soon())),
            "count: " + std::to_string(lab_.store().scan()->count(Lab::soon())));
  }

  void compare(const std::string& expected, const std::string& found) {
    expect(expected == found, fmt::format("the oracle answers \"{}\", the store \"{}\"", expected, found));
  }

  Lab& lab_;
  std::mt19937_64 random_;
  std::unique_ptr<SessionStore> oracle_;
  std::vector<SessionKey> keys_;
};
}  // namespace

std::span<const Fact> walk_facts() {
  static const Fact facts[] = {
      {"AnyWalkGetsTheOraclesAnswers", Need::given_clock,
       [](Lab& lab) {
         const char* fixed = std::getenv("SANCHO_SEED");
         const auto seed = fixed ? std::strtoull(fixed, nullptr, 10) : system_random().draw_u64();
         Walk walk(lab, seed);
         for (int step = 0; step < Lab::rounds(800); ++step) {
           try {
             walk.step();
           } catch (const Failure& e) {
             throw Failure(fmt::format("SANCHO_SEED={}, step {}: {}", seed, step, e.what()));
           }
         }
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
