// What one request asks for: counted, not timed, so it is the same everywhere.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace sancho::bench {

namespace {
class Counting final : public SessionStore {
 public:
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return ++reads, inner_->load(k, d); }
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
}  // namespace

int costs() {
  auto store = std::make_shared<Counting>();
  SessionManager<> sessions(store);
  std::string cookie;
  const auto visit = [&](const char* what, auto handler) {
    const std::string_view line = cookie;
    Request request;
    if (!cookie.empty()) request.cookies = {&line, 1};
    store->reads = store->writes = 0;
    allocations = 0;
    auto scope = sessions.start_request(request);
    handler(*scope);
    const auto lines = scope.finish();
    std::printf("| %s | %d | %d | %zu |\n", what, store->reads, store->writes, allocations);
    if (!lines.empty()) cookie = lines.front().value.substr(0, lines.front().value.find(';'));
  };
  const auto nothing = [](Session&) {};
  std::puts("| request, on `memory:` | store reads | store writes | allocations |\n|---|---|---|---|");
  visit("of a stranger", nothing);
  visit("logs in, and fills a slot", [](Session& s) { s.set_user("user12345"), s.set("cart", std::string(60, 'x')); });
  visit("looks at nothing", nothing);
  visit("reads the user's name", [](Session& s) { (void)s.get_user(); });
  visit("reads the name and a slot of 60 bytes", [](Session& s) { (void)s.get_user(), (void)s.get<std::string>("cart"); });
  visit("writes a slot", [](Session& s) { s.set("count", 1); });
  return 0;
}

}  // namespace sancho::bench
