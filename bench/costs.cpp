// What one request asks for: counted, not timed, so it is the same everywhere.
// What it may ask for is said beside each; more than that is a failure.
#include <cstdio>

#include "allocations.hpp"
#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::bench {

namespace {
class Counting final : public SessionStore {
 public:
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return ++reads, inner_->load(k, d); }
  bool load_into(const SessionKey& k, Record& r, Deadline d) override { return ++reads, inner_->load_into(k, r, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override { return ++writes, inner_->create(k, r, d, a); }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override { return ++writes, inner_->commit(k, v, r, d); }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override { return ++writes, inner_->touch(k, i, t, d); }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override { return ++writes, inner_->erase(k, v, d); }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return ++writes, inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override {}
  int reads = 0, writes = 0;

 private:
  std::unique_ptr<SessionStore> inner_ = open_memory_store();
};

// A request as browsers make them.
constexpr std::string_view browser =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

struct Most {
  int reads, writes;
  std::size_t allocations;
};
}  // namespace

int costs() {
  auto store = std::make_shared<Counting>();
  SessionManager<> sessions(store);
  std::string cookie;
  int failures = 0;
  const auto visit = [&](const char* what, Most most, auto handler) {
    Request request;
    request.peer_address = "203.0.113.195";
    request.user_agent = browser;
    std::string sent;
    // A thread's first requests make what the later ones find.
    for (int i = 0; i < 3; ++i) {
      const std::string_view line = cookie;
      request.cookies = {&line, cookie.empty() ? 0u : 1u};
      store->reads = store->writes = 0;
      allocations = 0;
      {
        auto scope = sessions.start_request(request);
        handler(*scope, i);
        const auto lines = scope.finish();
        if (!lines.empty()) sent = lines.front().value;
      }
    }
    const auto counted = allocations;
    std::printf("| %s | %d | %d | %zu |\n", what, store->reads, store->writes, counted);
    if (store->reads > most.reads || store->writes > most.writes || counted > most.allocations) {
      std::fprintf(stderr, "%s: at most %d reads, %d writes, %zu allocations are allowed\n", what, most.reads, most.writes, most.allocations);
      ++failures;
    }
    if (!sent.empty()) cookie = sent.substr(0, sent.find(';'));
  };
  std::puts("| request, on `memory:` | store reads | store writes | allocations |\n|---|---|---|---|");
  visit("of a stranger", {0, 0, 0}, [](Session&, int) {});
  visit("logs in, and fills a slot", {0, 1, 25}, [](Session& s, int) { s.set_user("user12345"), s.set("cart", std::string(60, 'x')); });
  visit("looks at nothing", {1, 0, 0}, [](Session&, int) {});
  visit("reads the user's name", {1, 0, 0}, [](Session& s, int) { (void)s.get_user(); });
  // The value itself is one.
  visit("reads the name and a slot of 60 bytes", {1, 0, 1}, [](Session& s, int) { (void)s.get_user(), (void)s.get<std::string>("cart"); });
  visit("writes a slot", {1, 1, 10}, [](Session& s, int i) { s.set("count", i); });
  return failures > 0;
}

}  // namespace sancho::bench
