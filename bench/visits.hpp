// # Requests that are the same in every run
//
// What guards count: requests over `memory:` by a manager whose time stands still
// and whose chance is a sequence, so that a count is a property of the code.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/manager.hpp"

namespace sancho::bench {

// Chance that draws the same in every run (splitmix64).
class SequenceOfChance final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i % 8 == 0) bits_ = next();
      out[i] = static_cast<std::byte>(bits_ >> (i % 8 * 8));
    }
  }

 private:
  std::uint64_t next() {
    auto z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t state_ = 1, bits_ = 0;
};

class Visits {
 public:
  // A store on this clock.
  using Open = std::shared_ptr<SessionStore> (*)(const Clock&);
  explicit Visits(Open open) : store(open(clock)), sessions_(store, {}, {.clock = clock, .random = chance_}) {}

  // One request with this cookie; what `handler` gets is the scope. The cookie
  // that the response sets, if it sets one. Asks the heap for nothing itself.
  template <class Handler>
  std::optional<std::string> visit(const std::string& cookie, Handler handler) {
    const std::string_view line = cookie;
    Request request;
    if (!cookie.empty()) request.cookies = {&line, 1};
    auto scope = sessions_.start_request(request);
    handler(scope);
    const auto lines = scope.finish();
    if (lines.empty()) return std::nullopt;
    return lines.front().value.substr(0, lines.front().value.find(';'));
  }

  std::string log_in(const std::string& user) {
    return visit("", [&](auto& scope) { scope->set_user(user), scope->set("cart", std::string(60, 'x')); }).value();
  }
  void read(const std::string& cookie) {
    visit(cookie, [](auto& scope) { (void)scope->get_user(); });
  }
  void write(const std::string& cookie) {
    visit(cookie, [this](auto& scope) { scope->set("count", ++counts_); });
  }
  void stranger() {
    visit("", [](auto&) {});
  }

  ManualClock clock;
  std::shared_ptr<SessionStore> store;

 private:
  SequenceOfChance chance_;
  SessionManager<> sessions_;
  std::int64_t counts_ = 0;  // never the same twice: what did not change is not written
};

}  // namespace sancho::bench
