// The contract, clause by clause, on TCP, on a unix socket, and through TLS.
//
// No test waits for time to pass: the server's clock is a function that a schema
// can hide behind one of its own, and ours is moved by hand.
#include "sancho/conformance.hpp"

#include <mutex>

#include "../support/skip.hpp"
#include "database.hpp"
#include "sancho/stores/postgresql.hpp"

namespace sancho {
namespace {

using postgresql_test::open_under_test;
using postgresql_test::Place;
using postgresql_test::Raw;

// A store that does not know that its server's clock is the test's.
class WithClock final : public SessionStore {
 public:
  WithClock(std::unique_ptr<SessionStore> inner, const std::string& uri, const Clock& clock)
      : inner_(std::move(inner)), raw_(uri), clock_(clock) {}

  std::optional<Record> load(const SessionKey& k, Deadline d) override { return at_time().load(k, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override {
    return at_time().create(k, r, d, a);
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    return at_time().commit(k, v, r, d);
  }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override {
    return at_time().touch(k, i, t, d);
  }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override {
    return at_time().erase(k, v, d);
  }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return at_time().sweep(r, d); }
  StoreTraits traits() const override {
    auto traits = inner_->traits();
    traits.distributed = false;
    return traits;
  }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return at_time().subjects(); }
  Epochs* epochs() override { return at_time().epochs(); }
  Scan* scan() override { return at_time().scan(); }

 private:
  SessionStore& at_time() {
    const std::lock_guard lock(mutex_);
    if (const auto now = clock_.now(); now != set_) {
      raw_.ask("UPDATE clock_table SET ms = " + std::to_string(now.time_since_epoch().count()));
      set_ = now;
    }
    return *inner_;
  }
  std::unique_ptr<SessionStore> inner_;
  Raw raw_;
  const Clock& clock_;
  std::mutex mutex_;
  Time set_{};
};

// What a server has that does not wait for its disk, but for this.
const PostgresqlOptions settings{.synchronous_commit = "on"};

conformance::Venue at(const std::string& server) {
  const auto place = std::make_shared<Place>(server);
  place->take_clock(false);
  return {.open = [place](const Clock&) { return open_under_test(place->uri(), settings); },
          .pass = [place](Duration d) { place->ask("UPDATE clock_table SET ms = ms + " + std::to_string(d.count())); }};
}

conformance::Venue unix_socket() {
  const auto place = std::make_shared<Place>(postgresql_test::server("SANCHO_TEST_POSTGRESQL_UNIX"));
  place->take_clock(true);
  return {.open = [place](const Clock& clock) {
    return std::make_unique<WithClock>(open_under_test(place->uri(), settings), place->uri(), clock);
  }};
}

const bool there = !postgresql_test::server().empty();
const int facts_on_tcp = there ? conformance::register_store("PostgresqlOnTcp", [] { return at(postgresql_test::server()); }) : 0;
const int facts_on_unix_socket = there ? conformance::register_store("PostgresqlOnUnixSocket", unix_socket) : 0;

const auto with_tls = postgresql_test::server("SANCHO_TEST_POSTGRESQL_TLS");
const int facts_through_tls =
    with_tls.empty() ? 0 : conformance::register_store("PostgresqlThroughTls", [] { return at(with_tls); });

TEST(Postgresql, IsTestedOnARealServer) {
  if (!there) SANCHO_SKIP("SANCHO_TEST_POSTGRESQL names no server");
  EXPECT_GT(facts_on_tcp, 50);
  EXPECT_EQ(facts_on_tcp, facts_on_unix_socket);
  if (with_tls.empty()) SANCHO_SKIP("SANCHO_TEST_POSTGRESQL_TLS names no server");
  EXPECT_EQ(facts_on_tcp, facts_through_tls);
}

}  // namespace
}  // namespace sancho
