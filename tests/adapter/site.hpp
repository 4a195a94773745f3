// A server with a few handlers, its store under observation.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client.hpp"
#include "sancho/adapters/httplib.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

// Counts the calls, and fails them on demand. Any thread.
class WatchedStore : public SessionStore {
 public:
  explicit WatchedStore(const Clock& clock) : inner_(open_memory_store(clock)) {}
  std::optional<Record> load(const SessionKey& k, Deadline d) override { return call(fail_reads), inner_->load(k, d); }
  CreateAnswer create(const SessionKey& k, const Record& r, Deadline d, const Admission* a) override { return call(fail_writes), inner_->create(k, r, d, a); }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override { return call(fail_writes), inner_->commit(k, v, r, d); }
  TouchAnswer touch(const SessionKey& k, std::uint64_t i, Time t, Deadline d) override { return call(fail_writes), inner_->touch(k, i, t, d); }
  EraseAnswer erase(const SessionKey& k, const std::optional<Version>& v, Deadline d) override { return call(fail_writes), inner_->erase(k, v, d); }
  SweepAnswer sweep(const SweepRequest& r, Deadline d) override { return inner_->sweep(r, d); }
  StoreTraits traits() const override { return inner_->traits(); }
  std::string name() const override { return inner_->name(); }
  void setup() override { inner_->setup(); }
  SubjectIndex* subjects() override { return inner_->subjects(); }
  Scan* scan() override { return inner_->scan(); }

  std::size_t sessions() { return scan()->count(Deadline::after(std::chrono::seconds(5))); }

  std::atomic<int> calls = 0;
  std::atomic<std::optional<Trouble>> fail_reads{std::nullopt}, fail_writes{std::nullopt};

 private:
  void call(const std::atomic<std::optional<Trouble>>& fail) {
    ++calls;
    if (const auto kind = fail.load()) throw StoreError(*kind, "this store fails for a test");
  }
  std::unique_ptr<SessionStore> inner_;
};

struct SiteSession : Session {
  using Session::Session;
  Counter visits{*this, "visits"};
  std::string tell() const { return get_user().value_or("nobody") + " " + std::to_string(visits.value()); }
};

inline const std::string sid = "__Host-Http-sid";

class Site : public testing::Test {
 public:
  using Req = httplib::Request;
  using Res = httplib::Response;
  using Scope = RequestScope<SiteSession>;

  Site() {
    server.Get("/look", sessions.wrap([](SiteSession& s, const Req&, Res& res) { res.set_content(s.tell(), "text/plain"); }));
    server.Get("/count", sessions.wrap([](SiteSession& s, const Req&, Res& res) {
      ++s.visits;
      res.set_content(s.tell(), "text/plain");
    }));
    server.Post("/login", sessions.wrap([](SiteSession& s, const Req& req, Res& res) {
      s.set_user(req.get_param_value("name"));
      res.set_content("welcome", "text/plain");
    }));
    server.Post("/logout", sessions.wrap([](Scope& scope, const Req&, Res& res) {
      scope.expire_session();
      res.set_content("goodbye", "text/plain");
    }));
    server.set_keep_alive_max_count(1000);
  }
  ~Site() override { stop(); }

  void start() {
    port = server.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }
  void stop() {
    if (!thread_.joinable()) return;
    server.stop();
    thread_.join();
  }

  // ## Bytes of requests

  static std::string get(const std::string& path, const std::string& lines = {}, const std::string& method = "GET") {
    return method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lines + "\r\n";
  }
  static std::string post(const std::string& path, const std::string& body, const std::string& lines = {},
                          const std::string& from = "Sec-Fetch-Site: same-origin\r\n") {
    return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + from + lines + "\r\n" + body;
  }
  static std::string with(const std::string& id) { return "Cookie: " + sid + "=" + id + "\r\n"; }

  // Each on a connection of its own.
  Reply ask(const std::string& bytes) const { return Client(port).ask(bytes); }
  std::string log_in(const std::string& name) const { return ask(post("/login", "name=" + name)).cookie(sid); }
  std::string look(const std::string& id) const { return ask(get("/look", with(id))).body; }

  ManualClock clock;
  std::shared_ptr<WatchedStore> store = std::make_shared<WatchedStore>(clock);
  SessionManager<SiteSession> manager{store, Policy{}, {.clock = clock}};
  HttplibSessions<SiteSession> sessions{manager};
  HttplibServer server;
  int port = 0;

 private:
  std::thread thread_;
};

}  // namespace sancho::test
