// What a policy says, and which ones cannot be.
#include "sancho/policy.hpp"

#include <functional>

#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;
using Days = std::chrono::days;

TEST(Policy, PresetsAreThoseOfNist) {
  const auto check = [](const Policy& p, Duration idle, Duration absolute) {
    EXPECT_EQ(p.limits.idle, idle);
    EXPECT_EQ(p.limits.absolute, absolute);
    EXPECT_NO_THROW(p.check());
  };
  check(Policy{}, 30min, 12h);
  check(Policy::aal1(), Days(30), Days(30));
  check(Policy::aal2(), 1h, 24h);
  check(Policy::aal3(), 15min, 12h);
  // "Keep me logged in" does not get around a level's limits.
  EXPECT_LE(Policy::aal2().keep_logged_in.absolute, Duration(24h));
  EXPECT_LE(Policy::aal3().keep_logged_in.absolute, Duration(12h));
  EXPECT_LE(Policy::aal3().keep_logged_in.idle, Duration(15min));
}

TEST(Policy, DescribeIsTheDocumentAnAuditAsksFor) {
  auto p = Policy::aal2();
  p.renewal.reset();
  p.check_session_addr = true;
  p.cookie.same_site = SameSite::none;
  EXPECT_EQ(p.describe(), R"(| limit | value | departs from the default |
|---|---|---|
| idle timeout | 1 h | default: 30 min |
| absolute timeout | 1 d | default: 12 h |
| idle timeout, kept logged in | 1 h | default: 30 d |
| absolute timeout, kept logged in | 1 d | default: 30 d |
| a new id every | off | default: 1 h |
| fresh after a login for | 15 min |  |
| access time written once per | 1 min |  |
| an old id leads on for | 30 s |  |
| tombstones kept for | 10 min |  |
| store timeout | 5 s |  |
| requests while the store is out of order | refused |  |
| the id travels in | cookie |  |
| cookie | __Host-Http-sid |  |
| cookie's SameSite | none | default: lax |
| cookie's domain | this host alone |  |
| cookie without TLS | no |  |
| address checked | yes | default: no |
| origin of unsafe requests checked | yes |  |
| unsafe requests must bring JSON | no |  |
| session ended when an old id comes back | no |  |
| sessions of one user | any number |  |
| the store must be | thread safe, linearizable, one that drops no session before its time |  |
| largest session in bytes | 1048576 |  |
)");
}

TEST(Policy, DescribeSaysWhichHeaderTheIdTravelsIn) {
  Policy p;
  p.transport = Transport::bearer();
  p.json_only = true;
  const auto text = p.describe();
  EXPECT_NE(text.find("| the id travels in | Authorization: Bearer, told in Session-Id | default: cookie |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| origin of unsafe requests checked | not needed | default: yes |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| unsafe requests must bring JSON | yes | default: no |\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("SameSite"), std::string::npos) << text;
  p.transport = Transport::header("Shop-Session");
  EXPECT_NE(p.describe().find("| the id travels in | Shop-Session, told in Shop-Session |"), std::string::npos);
}

struct Impossible {
  const char* field;
  std::function<void(Policy&)> make;
};

TEST(Policy, TheImpossibleIsRefusedByName) {
  const Impossible rows[] = {
      {"cap.most", [](Policy& p) { p.cap = SessionCap{.most = 0}; }},
      {"store_must", [](Policy& p) { p.store_must.linearizable = false; }},
      {"limits.idle", [](Policy& p) { p.limits.idle = 0ms; }},
      {"limits.idle", [](Policy& p) { p.limits.idle = -1ms; }},
      {"limits.absolute", [](Policy& p) { p.limits.absolute = 0ms; }},
      {"limits.idle", [](Policy& p) { p.limits = {2h, 1h}; }},
      {"limits.idle", [](Policy& p) { p.limits.idle = 19s; p.access_time_resolution = 1s; }},
      {"limits.absolute", [](Policy& p) { p.limits = {1h, Days(401)}; }},
      {"limits.absolute", [](Policy& p) { p.limits.absolute = Duration::max(); }},
      {"keep_logged_in.idle", [](Policy& p) { p.keep_logged_in.idle = 0ms; }},
      {"keep_logged_in.absolute", [](Policy& p) { p.keep_logged_in.absolute = 0ms; }},
      {"keep_logged_in.idle", [](Policy& p) { p.keep_logged_in = {1min, 1h}; p.access_time_resolution = 40s; }},
      {"renewal", [](Policy& p) { p.renewal = 0ms; }},
      {"freshness", [](Policy& p) { p.freshness = 0ms; }},
      {"access_time_resolution", [](Policy& p) { p.access_time_resolution = -1ms; }},
      {"access_time_resolution", [](Policy& p) { p.access_time_resolution = 16min; }},
      {"access_time_resolution", [](Policy& p) { p.access_time_resolution = Duration::max(); }},
      {"rotation_grace", [](Policy& p) { p.rotation_grace = -1ms; }},
      {"rotation_grace", [](Policy& p) { p.rotation_grace = Duration::max(); }},
      {"keep_ended", [](Policy& p) { p.keep_ended = 1min; }},
      {"keep_ended", [](Policy& p) { p.keep_ended = Duration::max(); }},
      {"keep_ended", [](Policy& p) { p.store_timeout = 10min; }},
      {"store_timeout", [](Policy& p) { p.store_timeout = 0ms; }},
      {"store_timeout", [](Policy& p) { p.store_timeout = Duration::max(); }},
      {"max_session_bytes", [](Policy& p) { p.max_session_bytes = 10; }},
      {"__Host-", [](Policy& p) { p.cookie.path = "/shop"; }},
      {"Secure", [](Policy& p) { p.cookie.plain_http = true; }},
      {"10.0.0", [](Policy& p) { p.proxies.trusted = {"10.0.0"}; }},
      {"example", [](Policy& p) { p.origins->own = {"shop.example"}; }},
      // A cookie or a header, and never both.
      {"transport", [](Policy& p) { p.transport = Transport::bearer(), p.cookie = CookieOptions::insecure_dev(); }},
      {"transport", [](Policy& p) { p.transport = Transport::header(), p.cookie.max_age = 1h; }},
      {"'Session Id'", [](Policy& p) { p.transport = Transport::header("Session Id"); }},
      {"'Session_Id'", [](Policy& p) { p.transport = Transport::header("Session_Id"); }},
      {"''", [](Policy& p) { p.transport = Transport::bearer(""); }},
      {"'X\r\nY'", [](Policy& p) { p.transport = Transport::bearer("X\r\nY"); }},
      {"'set-COOKIE'", [](Policy& p) { p.transport = Transport::bearer("set-COOKIE"); }},
      {"'Cookie'", [](Policy& p) { p.transport = Transport::header("Cookie"); }},
      {"'Origin'", [](Policy& p) { p.transport = Transport::header("Origin"); }},
      {"'Proxy'", [](Policy& p) { p.transport = Transport::header("Proxy"); }},
      {"'Authorization'", [](Policy& p) { p.transport = Transport::header("Authorization"); }},
      {"Authorization needs a scheme", [](Policy& p) { p.transport = {.request_header = "Authorization", .response_header = "Session-Id"}; }},
      {"one word", [](Policy& p) { p.transport = Transport::bearer(), p.transport.scheme = "Bearer of"; }},
      {"request_header", [](Policy& p) { p.transport.scheme = "Bearer"; }},
      {"request_header", [](Policy& p) { p.transport.response_header = "Session-Id"; }},
  };
  ManualClock clock;
  for (const auto& row : rows) {
    Policy p;
    row.make(p);
    try {
      SessionManager<> manager(open_memory_store(clock), p, {.clock = clock});
      ADD_FAILURE() << row.field << " was accepted";
    } catch (const ConfigError& e) {
      EXPECT_NE(std::string(e.what()).find(row.field), std::string::npos) << row.field << ": " << e.what();
    }
  }
}

TEST(Policy, AManagerNeedsAStoreThatKeepsThePromises) {
  EXPECT_THROW(SessionManager<>(nullptr), ConfigError);
  struct Unsafe : Spy {
    using Spy::Spy;
    StoreTraits traits() const override { return {.thread_safe = true, .linearizable = false}; }
  };
  ManualClock clock;
  EXPECT_THROW(SessionManager<>(std::make_shared<Unsafe>(open_memory_store(clock))), ConfigError);
}

// ## What a store must be

TEST(StoreMust, NameWhatTheStoreDoesNotGive) {
  ManualClock clock;
  auto policy = plain_policy();
  policy.store_must.durable = true;
  policy.store_must.power_safe = true;
  try {
    SessionManager<> sessions(open_memory_store(clock), policy);
    FAIL() << "memory is not durable";
  } catch (const ConfigError& e) {
    const std::string says = e.what();
    for (const char* part : {"memory:", "store_must", "durable across a crash", "durable across a power cut"})
      EXPECT_NE(says.find(part), says.npos) << says;
  }
}

TEST(StoreMust, AStoreThatMayDropSessionsHasToBeAskedFor) {
  struct Forgetful : Spy {
    using Spy::Spy;
    StoreTraits traits() const override { return {.thread_safe = true, .linearizable = true}; }
  };
  ManualClock clock;
  auto store = std::make_shared<Forgetful>(open_memory_store(clock));
  EXPECT_THROW(SessionManager<>(store, plain_policy()), ConfigError);
  auto policy = plain_policy();
  policy.store_must.keeps = false;
  EXPECT_NO_THROW(SessionManager<>(store, policy));
}

}  // namespace
}  // namespace sancho::test
