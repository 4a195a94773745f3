#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "contender.hpp"
#include "sancho/manager.hpp"
#include "sancho/open_store.hpp"

namespace sancho::bench {

namespace {
Policy steady() {
  Policy policy;
  // No touch and no renewal falls due within a run: they are requests of another kind.
  policy.access_time_resolution = policy.limits.idle / 2;
  policy.renewal.reset();
  return policy;
}

class Sancho final : public Contender {
 public:
  explicit Sancho(const std::string& uri) : sessions_(open_store(uri), steady()) {}

  void fill(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) cookies_.push_back(make("user" + std::to_string(i)));
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
  void write(unsigned, const Visit& visit) override {
    const Cookie cookie(visit);
    auto scope = sessions_.start_request(cookie.request);
    scope->set("count", ++counts_);
    auto lines = scope.finish();
    benchmark::DoNotOptimize(lines);
  }
  void log_in(unsigned) override { benchmark::DoNotOptimize(make("visitor" + std::to_string(++visitors_))); }

 private:
  std::string make(const std::string& user) {
    auto scope = sessions_.start_request({});
    scope->set_user(user);
    scope->set("cart", std::string(60, 'x'));
    const auto lines = scope.finish();
    const auto& value = lines.front().value;
    return value.substr(0, value.find(';'));
  }
  struct Cookie {
    explicit Cookie(const Visit& visit) : line(visit.brought) { request.cookies = {&line, 1}; }
    Cookie(const Cookie&) = delete;
    Cookie& operator=(const Cookie&) = delete;
    std::string_view line;
    Request request;
  };

  SessionManager<> sessions_;
  std::vector<std::string> cookies_;
  // Never the same value twice: what did not change is not written.
  std::atomic<std::int64_t> counts_ = 0;
  std::atomic<std::size_t> visitors_ = 0;
};
}  // namespace

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
