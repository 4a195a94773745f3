#include "sancho/peer.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace sancho {

namespace {
// One element of the list a header is: an address as it was written and the
// scheme that goes with it.
struct Hop {
  std::string_view address;
  std::string_view scheme;
};

// Takes the last element of a comma-separated list; commas in quotes are part
// of an element. From the right, because the right is what our own proxies
// wrote: quotes that a client left open cannot swallow it.
std::string_view take_last(std::string_view& list) {
  bool quoted = false;
  for (auto at = list.size(); at > 0; --at) {
    const char c = list[at - 1];
    if (c == '"') quoted = !quoted;
    if (c != ',' || quoted) continue;
    const auto last = list.substr(at);
    list = list.substr(0, at - 1);
    return trim_blank(last);
  }
  const auto last = trim_blank(list);
  list = {};
  return last;
}

std::string_view unquote(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

std::size_t unquoted_semicolon(std::string_view element) {
  bool quoted = false;
  for (std::size_t at = 0; at < element.size(); ++at) {
    if (element[at] == '"') quoted = !quoted;
    if (element[at] == ';' && !quoted) return at;
  }
  return std::string_view::npos;
}

// `for=192.0.2.60;proto=https;by=…` in any order (RFC 7239, section 4). A
// parameter that is there twice makes the element unusable.
Hop parse_forwarded(std::string_view element) {
  Hop hop;
  bool twice = false;
  const auto set = [&](std::string_view& field, std::string_view value) {
    twice |= !field.empty();
    field = unquote(value);
  };
  while (!element.empty()) {
    const auto end = unquoted_semicolon(element);
    const auto pair = trim_blank(element.substr(0, end));
    element = end == std::string_view::npos ? std::string_view{} : element.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (same_ignoring_case(pair.substr(0, equals), "for")) set(hop.address, pair.substr(equals + 1));
    if (same_ignoring_case(pair.substr(0, equals), "proto")) set(hop.scheme, pair.substr(equals + 1));
  }
  return twice ? Hop{} : hop;
}

// An address with or without a port: `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`,
// `[2001:db8::1]`, `[2001:db8::1]:5`.
std::optional<Address> parse_node(std::string_view text) {
  if (auto plain = Address::parse(text)) return plain;
  const bool brackets = text.starts_with('[');
  const auto end = brackets ? text.find(']') : text.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  const auto host = brackets ? text.substr(1, end - 1) : text.substr(0, end);
  auto rest = text.substr(brackets ? end + 1 : end);
  if (!rest.empty()) {
    if (rest.front() != ':') return std::nullopt;
    rest.remove_prefix(1);
    if (rest.empty() || rest.size() > 5 || !std::all_of(rest.begin(), rest.end(), is_digit)) return std::nullopt;
  }
  if (brackets != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return Address::parse(host);
}

// Both headers of the older kind, read in step from their ends. One scheme
// alone goes with every address; lists of different lengths go with none.
class Hops {
 public:
  Hops(ProxyHeader header, const ProxyHeaders& h)
      : forwarded_(header == ProxyHeader::forwarded), list_(forwarded_ ? h.forwarded : h.x_forwarded_for), schemes_(h.x_forwarded_proto) {
    const auto count = std::count(schemes_.begin(), schemes_.end(), ',');
    one_scheme_ = count == 0;
    if (!one_scheme_ && count != std::count(list_.begin(), list_.end(), ',')) schemes_ = {};
  }
  bool done() const { return trim_blank(list_).empty(); }
  Hop take() {
    const auto element = take_last(list_);
    if (forwarded_) return parse_forwarded(element);
    return {element, one_scheme_ ? trim_blank(schemes_) : take_last(schemes_)};
  }

 private:
  bool forwarded_;
  std::string_view list_, schemes_;
  bool one_scheme_;
};
}  // namespace

TrustedProxies::TrustedProxies(const ProxyOptions& options) : header_(options.header) {
  for (const auto& text : options.trusted) trusted_.push_back(Network::parse(text));
}

bool TrustedProxies::trusts(const Address& address) const {
  return std::any_of(trusted_.begin(), trusted_.end(), [&](const Network& n) { return n.contains(address); });
}

Peer TrustedProxies::resolve(std::string_view peer_address, bool peer_tls, const ProxyHeaders& headers) const {
  // With dots there is one way to write it.
  const bool dotted = peer_address.find(':') == std::string_view::npos;
  if (dotted && trusted_.empty()) return {std::string(peer_address), peer_tls};
  const auto peer = Address::parse(peer_address);
  Peer own{dotted || !peer ? std::string(peer_address) : peer->text(), peer_tls};
  if (!peer || !trusts(*peer)) return own;
  Peer answer = own;
  for (Hops hops(header_, headers); !hops.done();) {
    const auto hop = hops.take();
    const auto address = parse_node(hop.address);
    if (!address) return own;
    const bool https = same_ignoring_case(hop.scheme, "https");
    const bool http = same_ignoring_case(hop.scheme, "http");
    answer = {address->text(), https || (!http && peer_tls)};
    if (!trusts(*address)) break;
  }
  return answer;
}

}  // namespace sancho
