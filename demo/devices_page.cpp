// "Where am I logged in"
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "html.hpp"
#include "layout.hpp"
#include "pages.hpp"

namespace demo {

namespace {

std::string ago(sancho::Duration age) {
  using namespace std::chrono;
  if (age < minutes(1)) return "just now";
  if (age < hours(1)) return fmt::format("{} min ago", duration_cast<minutes>(age).count());
  if (age < days(1)) return fmt::format("{} h ago", duration_cast<hours>(age).count());
  return fmt::format("{} days ago", duration_cast<days>(age).count());
}

// The browser's and the system's name out of the long line that browsers send.
std::string browser(std::string_view agent) {
  const auto first = [&](auto... names) {
    std::string_view found;
    ((found.empty() && agent.find(names) != std::string_view::npos ? void(found = names) : void()), ...);
    return found;
  };
  const auto name = first("Firefox", "Edg", "Chrome", "Safari", "curl");
  const auto system = first("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux");
  if (name.empty()) return "An unknown browser";
  return system.empty() ? std::string(name) : fmt::format("{} on {}", name, system);
}

std::string device(ShopSession& session, const sancho::SessionInfo& info, sancho::Time now) {
  const auto name = browser(info.user_agent);
  auto end = std::string(R"(<span class="badge">This device</span>)");
  if (!info.current)
    end = form("/devices/end", session.csrf_token("/devices/end"),
               hidden("handle", info.handle.text()) +
                   fmt::format(R"(<button class="quiet">End<span class="for-readers"> {}, session {}</span></button>)", escape(name), info.handle.text()));
  return fmt::format(R"(<li class="device"><div><h2>{}</h2><p class="small">From {} · since {:%Y-%m-%d %H:%M} UTC · last seen {} · session <code>{}</code></p></div>{}</li>)",
                     escape(name), escape(info.remote_address),
                     fmt::gmtime(std::chrono::system_clock::to_time_t(info.created)), ago(now - info.accessed),
                     info.handle.text(), end);
}

}  // namespace

std::string devices_page(ShopSession& session, const std::vector<sancho::SessionInfo>& sessions, sancho::Time now) {
  std::string rows;
  for (const auto& info : sessions) rows += device(session, info, now);
  std::string others;
  if (sessions.size() > 1)
    others = form("/devices/end-others", session.csrf_token("/devices/end-others"), "<button>End all others</button>", "actions");
  return page(&session, "Devices", fmt::format(R"(<h1>Where you are logged in</h1><ul class="devices">{}</ul>{}<p class="small">Kept logged in on this device: {}.</p>)", rows, others,
                                               session.kept_logged_in() ? "yes" : "no"));
}

}  // namespace demo
