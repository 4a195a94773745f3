#include "sancho/origin_guard.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "sancho/error.hpp"
#include "sancho/http.hpp"
#include "sancho/peer.hpp"

namespace sancho {

std::string_view to_string(OriginReason reason) {
  switch (reason) {
    case OriginReason::safe_method: return "safe_method";
    case OriginReason::same_origin: return "same_origin";
    case OriginReason::user_initiated: return "user_initiated";
    case OriginReason::same_site: return "same_site";
    case OriginReason::known_origin: return "known_origin";
    case OriginReason::known_referer: return "known_referer";
    case OriginReason::nothing_known: return "nothing_known";
    case OriginReason::blocked_same_site: return "blocked_same_site";
    case OriginReason::blocked_cross_site: return "blocked_cross_site";
    case OriginReason::blocked_null_origin: return "blocked_null_origin";
    case OriginReason::blocked_origin: return "blocked_origin";
    case OriginReason::blocked_referer: return "blocked_referer";
    case OriginReason::blocked_nothing_known: return "blocked_nothing_known";
  }
  return "unknown";
}

namespace {
// Methods are case-sensitive (RFC 9110): `get` is another method, and no safe
// one. TRACE is not among them because no page can send it.

// What `Host` names, if that is this very machine. Names that merely resolve
// to it are somebody else's.
std::optional<Origin> loopback_origin(std::string_view host, bool https) {
  auto origin = Origin::parse((https ? "https://" : "http://") + std::string(host));
  if (!origin) return std::nullopt;
  auto name = std::string_view(origin->text());
  name.remove_prefix(name.find("://") + 3);
  name = name.substr(0, name.rfind(':'));
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  return name == "localhost" || is_loopback(name) ? origin : std::nullopt;
}

void add_all(std::vector<Origin>& known, const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    auto origin = Origin::parse(text);
    if (!origin) throw ConfigError("'" + text + "' is no origin: write scheme, host and port, as in https://shop.example or http://localhost:8080");
    known.push_back(std::move(*origin));
  }
}
}  // namespace

OriginGuard::OriginGuard(const OriginOptions& options)
    : own_from_loopback_host_(options.own_from_loopback_host),
      allow_same_site_(options.allow_same_site),
      allow_unknown_(options.allow_unknown),
      log_only_(options.log_only) {
  if (options.own.empty() && !own_from_loopback_host_)
    throw ConfigError("the origin check needs this application's own origin, as in https://shop.example");
  add_all(known_, options.own);
  add_all(known_, options.trusted);
}

OriginVerdict OriginGuard::check(const OriginRequest& request) const {
  OriginVerdict verdict{.pass = false, .reason = decide(request)};
  verdict.pass = log_only_ || !verdict.blocked();
  return verdict;
}

bool OriginGuard::knows(const std::optional<Origin>& origin, const OriginRequest& request) const {
  if (!origin) return false;
  if (std::find(known_.begin(), known_.end(), *origin) != known_.end()) return true;
  return own_from_loopback_host_ && origin == loopback_origin(request.host, request.https);
}

OriginReason OriginGuard::decide(const OriginRequest& request) const {
  using enum OriginReason;
  if (is_safe_method(request.method)) return safe_method;
  const auto site = request.sec_fetch_site;
  if (site == "same-origin") return same_origin;
  if (site == "none") return user_initiated;
  if (site == "same-site" && allow_same_site_) return same_site;
  if (site == "same-site" || site == "cross-site") {
    if (knows(Origin::parse(request.origin), request)) return known_origin;
    return site == "same-site" ? blocked_same_site : blocked_cross_site;
  }
  if (request.origin == "null") return blocked_null_origin;
  if (!request.origin.empty()) return knows(Origin::parse(request.origin), request) ? known_origin : blocked_origin;
  if (!request.referer.empty()) return knows(Origin::of_url(request.referer), request) ? known_referer : blocked_referer;
  return allow_unknown_ ? nothing_known : blocked_nothing_known;
}

}  // namespace sancho
