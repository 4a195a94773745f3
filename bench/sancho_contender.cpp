#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "contender.hpp"
#include "sancho/manager.hpp"
#include "sancho/open_store.hpp"

namespace sancho::bench {

namespace {
void check(bool what, const char* said) {
  if (!what) throw std::runtime_error(said);
}

// The cookie that a login sets.
std::string log_in(SessionManager<>& sessions, const std::string& user) {
  auto scope = sessions.start_request({});
  scope->set_user(user);
  scope->set("cart", std::string(60, 'x'));
  const auto lines = scope.finish();
  const auto& value = lines.front().value;
  return value.substr(0, value.find(';'));
}

Policy steady() {
  Policy policy;
  // No touch and no renewal falls due within a run: they are requests of another kind.
  policy.access_time_resolution = policy.limits.idle / 2;
  policy.renewal.reset();
  return policy;
}

class Sancho final : public Contender {
 public:
  explicit Sancho(const std::string& uri) : store_(open_store(uri)), sessions_(store_, steady()) {}

  void fill(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) cookies_.push_back(bench::log_in(sessions_, "user" + std::to_string(i)));
  }
  std::vector<std::string> take_cookies() { return std::move(cookies_); }
  void give_cookies(std::vector<std::string> cookies) { cookies_ = std::move(cookies); }

  std::string brings(std::size_t i) const override { return cookies_[i]; }
  void read(unsigned, const Visit& visit) override {
    const Cookie cookie(visit);
    auto scope = sessions_.start_request(cookie.request);
    auto user = scope->get_user();
    benchmark::DoNotOptimize(user);
    auto lines = scope.finish();
    benchmark::DoNotOptimize(lines);
  }
  std::string brings_to_load(std::size_t i) const override {
    const std::string_view cookie = cookies_[i];
    return std::string(SessionKey::of({}, SessionId::parse(cookie.substr(cookie.find('=') + 1)).value()).bytes());
  }
  void load(unsigned, const Visit& visit) override {
    thread_local Record record;
    check(store_->load_into(SessionKey::from_bytes(visit.brought).value(), record, Deadline::after(std::chrono::seconds(60))), "a session is not there");
    benchmark::DoNotOptimize(record);
  }
  void write(unsigned, const Visit& visit) override {
    const Cookie cookie(visit);
    auto scope = sessions_.start_request(cookie.request);
    scope->set("count", ++counts_);
    auto lines = scope.finish();
    benchmark::DoNotOptimize(lines);
  }
  void log_in(unsigned) override { benchmark::DoNotOptimize(bench::log_in(sessions_, "visitor" + std::to_string(++visitors_))); }

 private:
  struct Cookie {
    explicit Cookie(const Visit& visit) : line(visit.brought) { request.cookies = {&line, 1}; }
    Cookie(const Cookie&) = delete;
    Cookie& operator=(const Cookie&) = delete;
    std::string_view line;
    Request request;
  };

  const std::shared_ptr<SessionStore> store_;
  SessionManager<> sessions_;
  std::vector<std::string> cookies_;
  // Never the same value twice: what did not change is not written.
  std::atomic<std::int64_t> counts_ = 0;
  std::atomic<std::size_t> visitors_ = 0;
};

// A minute passes between two parts, and a session lives for as many minutes as there are parts.
class TurningOver final : public Contender {
 public:
  explicit TurningOver(std::size_t sessions) : part_(a_part(sessions)), sessions_(store_, policy(sessions / part_), {.clock = clock_}) {
    for (std::size_t i = 0; i < sessions / part_; ++i, clock_.advance(std::chrono::minutes(1)))
      for (std::size_t k = 0; k < part_; ++k) log_in(0);
  }
  void read(unsigned, const Visit&) override {}
  void write(unsigned, const Visit&) override {}
  void log_in(unsigned) override { benchmark::DoNotOptimize(bench::log_in(sessions_, "visitor" + std::to_string(++visitors_))); }
  void lose_a_part() override {
    std::size_t gone = 0;
    for (bool more = true; more;) {
      const auto swept = store_->sweep({.budget = part_}, Deadline::after(std::chrono::seconds(60)));
      gone += swept.removed, more = swept.more;
    }
    check(gone >= part_ / 2 && gone <= 2 * part_, "a store that should stay as large does not");
    clock_.advance(std::chrono::minutes(1));
  }

 private:
  static Policy policy(std::size_t parts) {
    auto policy = steady();
    policy.limits.idle = std::chrono::minutes(parts);
    policy.limits.absolute = 2 * policy.limits.idle;
    policy.access_time_resolution = policy.limits.idle / 2;
    return policy;
  }

  const std::size_t part_;
  ManualClock clock_;
  const std::shared_ptr<SessionStore> store_ = open_store("memory:", clock_);
  SessionManager<> sessions_;
  std::atomic<std::size_t> visitors_ = 0;
};
}  // namespace

std::unique_ptr<Contender> sancho_turning_over(const Setting& setting) { return std::make_unique<TurningOver>(setting.sessions); }

std::unique_ptr<Contender> sancho_on(const std::string& scheme, const std::string& of, const std::string& options, const Setting& setting) {
  if (of.empty()) {
    auto sancho = std::make_unique<Sancho>(scheme + ":");
    sancho->fill(setting.sessions);
    return sancho;
  }
  std::vector<std::string> cookies;
  {
    Sancho young(scheme + ":" + setting.nursery + "/" + of);
    young.fill(setting.sessions);
    cookies = young.take_cookies();
  }
  std::filesystem::copy(setting.nursery, setting.place, std::filesystem::copy_options::recursive);
  auto sancho = std::make_unique<Sancho>(scheme + ":" + setting.place + "/" + of + options);
  sancho->give_cookies(std::move(cookies));
  return sancho;
}

}  // namespace sancho::bench
