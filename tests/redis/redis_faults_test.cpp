// The connection is cut at every command of every operation, before it and after
// it: what is there then is what was said, and index and records agree.
#include <functional>
#include <set>

#include "../support/skip.hpp"
#include "cutting_proxy.hpp"
#include "place.hpp"
#include "sessions.hpp"

namespace sancho::test {
namespace {

using std::chrono::seconds;

// A place with sessions in it, as every operation finds it.
struct Scene {
  Scene()
      : place("REDIS"),
        store(place.open()),
        key(key_for(*store, "ada")),
        fresh(key_for(*store, "ada")),
        record(session_of("ada")),
        made(session_of("ada")) {
    store->create(key, record, in_time());
    const auto dead = key_for(*store, "ada");
    store->create(dead, session_of("ada"), in_time());
    store->erase(dead, std::nullopt, in_time());  // which leaves its name in the index
  }
  RedisPlace place;
  std::unique_ptr<SessionStore> store;
  SessionKey key, fresh;
  Record record, made;
};

struct Operation {
  const char* name;
  std::function<bool(Scene&, SessionStore&)> run;  // whether it said that it is done
  std::function<bool(Scene&)> done;                // asked over another connection
};

Record ended(const Record& record) {
  auto r = next(record);
  r.state = State::ended;
  return r;
}

const Operation operations[] = {
    {"create", [](Scene& s, SessionStore& store) { return is<Done>(store.create(s.fresh, s.made, in_time())); },
     [](Scene& s) { return s.store->load(s.fresh, in_time()) == s.made; }},
    {"create within a cap",
     [](Scene& s, SessionStore& store) {
       const Admission admission{.cap = 2};
       return is<Done>(store.create(s.fresh, s.made, in_time(), &admission));
     },
     [](Scene& s) { return s.store->load(s.fresh, in_time()) == s.made; }},
    {"commit",
     [](Scene& s, SessionStore& store) {
       return is<Done>(store.commit(s.key, s.record.version, next(s.record), in_time()));
     },
     [](Scene& s) { return s.store->load(s.key, in_time()) == next(s.record); }},
    {"logout",
     [](Scene& s, SessionStore& store) {
       return is<Done>(store.commit(s.key, s.record.version, ended(s.record), in_time()));
     },
     [](Scene& s) { return s.store->load(s.key, in_time())->state == State::ended; }},
    {"touch",
     [](Scene& s, SessionStore& store) {
       return is<Done>(store.touch(s.key, s.record.version.incarnation, s.record.accessed + seconds{5}, in_time()));
     },
     [](Scene& s) { return s.store->load(s.key, in_time())->accessed == s.record.accessed + seconds{5}; }},
    {"erase",
     [](Scene& s, SessionStore& store) { return is<Removed>(store.erase(s.key, s.record.version, in_time())); },
     [](Scene& s) { return !s.store->load(s.key, in_time()); }},
    {"set_epoch",
     [](Scene&, SessionStore& store) {
       return store.epochs()->set_epoch("ada", 7, system_clock().now() + seconds{60}, in_time()), true;
     },
     [](Scene& s) { return s.store->epochs()->epochs("ada", in_time()).subject == 7; }},
    {"sweep",
     [](Scene& s, SessionStore& store) {
       return store.sweep({.budget = 100, .accessed_before = s.record.accessed + seconds{1}}, in_time()).removed > 0;
     },
     [](Scene& s) { return !s.store->load(s.key, in_time()); }},
    {"load", [](Scene& s, SessionStore& store) { return store.load(s.key, in_time()).has_value(); }, {}},
    {"find_by_subject",
     [](Scene&, SessionStore& store) { return store.subjects()->find_by_subject("ada", in_time()).size() == 1; },
     {}},
};

// Each session of ada's is in her index, which does not expire before it.
void expect_agreement(Scene& s, const std::string& what) {
  const auto names = s.place.names();
  const redis::SubjectPlace ada = redis::place_of("ada", s.place.command({"HGET", names.meta(), "secret"}).text);
  std::set<SessionKey> walked, found;
  s.store->scan()->walk(
      [&](const KeyedRecord& each) { return !may_open(each.record.state) || walked.insert(each.key).second; },
      in_time());
  for (const auto& name : s.place.keys()) {
    const auto key = names.session(name);
    if (!key || !walked.contains(*key)) continue;
    const auto member = s.place.command({"ZSCORE", names.index(ada), std::string(key->bytes())});
    EXPECT_EQ(member.kind, redis::Reply::Kind::text) << what << ": a session is not in its user's index";
    EXPECT_GE(s.place.command({"PEXPIRETIME", names.index(ada)}).number, s.place.command({"PEXPIRETIME", name}).number)
        << what;
  }
  for (const auto& each : s.store->subjects()->find_by_subject("ada", in_time())) found.insert(each.key);
  EXPECT_EQ(found, walked) << what;
}

void play(CuttingProxy& proxy, const Operation& operation, CuttingProxy::Cut how) {
  int cuts = 0;
  for (int n = 1; n < 100; ++n) {
    Scene scene;
    const auto what = std::string(operation.name) + " cut " + (how == CuttingProxy::Cut::before ? "before" : "after") +
                      " command " + std::to_string(n);
    auto options = scene.place.options();
    options.addresses = {{"127.0.0.1", proxy.port()}};
    const auto store = open_redis(options);
    bool threw = false, in_doubt = false, said_done = false;
    proxy.arm(n, how);
    try {
      said_done = operation.run(scene, *store);
    } catch (const StoreError& e) {
      threw = true;
      in_doubt = e.maybe_done();
      EXPECT_EQ(e.kind(), Trouble::unavailable) << what << ": " << e.what();
    }
    const bool cut = proxy.disarm();
    EXPECT_TRUE(threw || said_done) << what << ": it was done, and is told otherwise";
    if (operation.done) {
      const bool done = operation.done(scene);
      EXPECT_TRUE(done || threw) << what << ": it said done";
      EXPECT_TRUE(!done || !threw || in_doubt) << what << ": it said not done";
    }
    expect_agreement(scene, what);
    if (!cut) {
      EXPECT_GT(cuts, 0) << what;
      return;
    }
    ++cuts;
  }
  ADD_FAILURE() << operation.name << " never came through";
}

class RedisFaults : public testing::TestWithParam<CuttingProxy::Cut> {};

TEST_P(RedisFaults, ACallThatIsCutOffLeavesAllOrNothingAndTheTruthIsTold) {
  if (server_uri("REDIS").empty()) SANCHO_SKIP("there is no server: run it by tests/servers/with_server.py");
  CuttingProxy proxy(redis_options("REDIS").addresses.at(0).port);
  for (const auto& operation : operations) play(proxy, operation, GetParam());
}

INSTANTIATE_TEST_SUITE_P(CutBefore, RedisFaults, testing::Values(CuttingProxy::Cut::before));
INSTANTIATE_TEST_SUITE_P(CutAfter, RedisFaults, testing::Values(CuttingProxy::Cut::after));

}  // namespace
}  // namespace sancho::test
