// # Did this request come from our own pages?
//
// Browsers say where a request was made, in headers no page can forge. The
// guard reads them in the order of their worth: `Sec-Fetch-Site`, where that
// is missing or unknown `Origin`, then `Referer`; and if there is nothing, the
// request is blocked. Methods that change nothing (GET, HEAD, OPTIONS) pass.
//
//     const sancho::OriginGuard guard({.own = {"https://shop.example"}});
//     if (!guard.check({.method = "POST", .sec_fetch_site = ..., .origin = ...}).pass) return 403;
//
// It stands beside form tokens and replaces none. A cache in front must be
// told: `Vary: Sec-Fetch-Site, Origin`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// Scheme, host and port: what browsers compare (RFC 6454). Only `http` and
// `https`; host names in ASCII, so write others as `xn--…`.
class Origin {
 public:
  // `https://shop.example` or `http://localhost:8080`, with nothing behind it.
  // Nothing for `null`, a path, user names, a list, a port that is none.
  static std::optional<Origin> parse(std::string_view text);
  // The origin of a whole address, as in `Referer`.
  static std::optional<Origin> of_url(std::string_view url);

  // `scheme://host:port`, in lower case and with the port even if it is the
  // scheme's own.
  const std::string& text() const { return text_; }
  bool operator==(const Origin&) const = default;

 private:
  explicit Origin(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct OriginOptions {
  // Where this application is seen by browsers, each as scheme, host and port
  // where that is not the scheme's own. Never taken from a request.
  std::vector<std::string> own{};
  // For a server on one's own machine whose port nobody knows beforehand: a
  // `Host` header that names this machine (localhost, 127.0.0.0/8, [::1]) is
  // our origin too. Other `Host` headers never are.
  bool own_from_loopback_host = false;
  // Other applications whose pages may post to us.
  std::vector<std::string> trusted{};
  // Whether every host and port of our registrable domain is trusted. Known by
  // `Sec-Fetch-Site` alone.
  bool allow_same_site = false;
  // What becomes of a request with none of the three headers: programs, and
  // browsers older than 2016. A handshake (handshake.hpp) is refused all the same.
  bool allow_unknown = false;
  // Pass everything and only give the reason, to see what would be blocked. A
  // handshake is refused here too: behind it there is no form token that would
  // stop a foreign page.
  bool log_only = false;
};

// What the guard looks at. A header that is absent is empty; one that came
// more than once is joined with ", " (and then is none that we know).
struct OriginRequest {
  std::string_view method;
  std::string_view sec_fetch_site{};
  std::string_view origin{};
  std::string_view referer{};
  std::string_view host{};  // used with `own_from_loopback_host` alone
  bool https = false;       // likewise
};

enum class OriginReason {
  safe_method,      // GET, HEAD, OPTIONS
  same_origin,      // Sec-Fetch-Site says so
  user_initiated,   // typed, bookmarked: Sec-Fetch-Site: none
  same_site,        // and `allow_same_site`
  known_origin,     // Origin is own or trusted
  known_referer,    // Referer is
  nothing_known,    // and `allow_unknown`
  // From here on: blocked.
  blocked_same_site,
  blocked_cross_site,
  blocked_null_origin,
  blocked_origin,    // foreign, or not an origin at all
  blocked_referer,
  blocked_nothing_known,
};

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(OriginReason reason);

struct OriginVerdict {
  bool pass = false;
  OriginReason reason = OriginReason::blocked_nothing_known;
  bool blocked() const { return reason >= OriginReason::blocked_same_site; }  // also where `log_only` let it pass
};

// Immutable, so any thread may share it.
class OriginGuard {
 public:
  // Throws `ConfigError` if an origin is none, or if there is no own origin
  // and none to be had from the host.
  explicit OriginGuard(const OriginOptions& options);

  // Throws nothing but `std::bad_alloc`.
  OriginVerdict check(const OriginRequest& request) const;

 private:
  OriginReason decide(const OriginRequest& request) const;
  bool knows(const std::optional<Origin>& origin, const OriginRequest& request) const;

  std::vector<Origin> known_;
  bool own_from_loopback_host_, allow_same_site_, allow_unknown_, log_only_;
};

}  // namespace sancho
