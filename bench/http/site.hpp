// # The site that is measured, whatever serves it
//
// `PROGRAM PORT on|off` serves it on 127.0.0.1 until it is ended: `/login?user=NAME`,
// `/read` (who is there) and `/write` (a count, one higher). With `off`, the same
// server answers the last two, as long, without any session.
#pragma once

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::bench {

struct SiteSession : Session {
  using Session::Session;
  Counter count{*this, "count"};
};

struct SiteOptions {
  SiteOptions(int argc, char** argv) {
    if (argc != 3 || (std::strcmp(argv[2], "on") != 0 && std::strcmp(argv[2], "off") != 0))
      throw std::runtime_error("PORT on|off");
    port = static_cast<unsigned short>(std::atoi(argv[1]));
    on = std::strcmp(argv[2], "on") == 0;
  }
  unsigned short port;
  bool on;
};

// The defaults, but for a cookie that travels without TLS.
inline Policy site_policy() {
  Policy policy;
  policy.cookie = CookieOptions::insecure_dev();
  return policy;
}

// What a path answers; nothing: there is no such page.
inline std::optional<std::string> visit(SiteSession& session, std::string_view target) {
  constexpr std::string_view login = "/login?user=";
  if (target == "/read") return session.get_user().value() + "\n";
  if (target == "/write") {
    ++session.count;
    return std::to_string(session.count.value()) + "\n";
  }
  if (!target.starts_with(login)) return std::nullopt;
  session.set_user(std::string(target.substr(login.size())));
  session.set("cart", std::string(60, 'x'));
  return "in\n";
}

inline std::optional<std::string> visit_without_session(std::string_view target) {
  static std::atomic<std::int64_t> counts = 0;
  if (target == "/read") return "user1\n";
  if (target == "/write") return std::to_string(++counts) + "\n";
  return std::nullopt;
}

}  // namespace sancho::bench
