#include "stores/redis/topology.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace sancho::redis {

Topology::Topology(Deployment kind, std::vector<Endpoint> seeds) : kind_(kind), seeds_(std::move(seeds)) {
  owners_.assign(kind == Deployment::cluster ? slot_count : 1, nobody);
  if (kind == Deployment::server) master_is(seeds_.front());
}

std::uint16_t Topology::number_of(const Endpoint& node) {
  const auto at = std::find(nodes_.begin(), nodes_.end(), node);
  if (at != nodes_.end()) return static_cast<std::uint16_t>(at - nodes_.begin());
  nodes_.push_back(node);
  return static_cast<std::uint16_t>(nodes_.size() - 1);
}

std::optional<Endpoint> Topology::owner(Slot slot) const {
  if (suspect_) return std::nullopt;
  const auto number = owners_[kind_ == Deployment::cluster ? slot : 0];
  return number == nobody ? std::nullopt : std::optional(nodes_[number]);
}

std::vector<Endpoint> Topology::masters() const {
  std::vector<Endpoint> found;
  if (suspect_) return found;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (std::find(owners_.begin(), owners_.end(), i) != owners_.end()) found.push_back(nodes_[i]);
  return found;
}

std::vector<Endpoint> Topology::informants() const {
  auto all = seeds_;
  if (kind_ == Deployment::cluster)
    for (const auto& node : nodes_)
      if (std::find(all.begin(), all.end(), node) == all.end()) all.push_back(node);
  return all;
}

void Topology::master_is(const Endpoint& node) {
  nodes_ = {node};
  owners_[0] = 0;
  suspect_ = false;
}

void Topology::slot_is_at(Slot slot, const Endpoint& node) {
  if (kind_ == Deployment::cluster) owners_[slot] = number_of(node);
}

// [[first, last, [host, port, id, ...], replica...], ...]
bool Topology::learn_slots(const Reply& reply, const Endpoint& asked) {
  std::vector<Endpoint> nodes;
  nodes.swap(nodes_);
  std::vector<std::uint16_t> owners(slot_count, nobody);
  bool any = false;
  for (const auto& range : reply.items) {
    if (range.items.size() < 3 || range.items[2].items.size() < 2) continue;
    const auto& master = range.items[2].items;
    const auto first = range.items[0].number, last = range.items[1].number, port = master[1].number;
    if (first < 0 || first > last || last >= static_cast<std::int64_t>(slot_count) || port < 1 || port > 0xffff)
      continue;
    // A node that does not know its own address leaves it out, or says "?".
    const bool unknown = master[0].text.empty() || master[0].text == "?";
    const auto number = number_of({unknown ? asked.host : master[0].text, static_cast<std::uint16_t>(port)});
    std::fill(owners.begin() + first, owners.begin() + last + 1, number);
    any = true;
  }
  if (!any) {
    nodes_.swap(nodes);
    return false;
  }
  owners_ = std::move(owners);
  suspect_ = false;
  return true;
}

std::optional<Endpoint> master_in(const Reply& reply) {
  if (reply.kind != Reply::Kind::list || reply.items.size() != 2) return std::nullopt;
  std::uint16_t port = 0;
  const auto& text = reply.items[1].text;
  const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (bad != std::errc{} || port == 0 || reply.items[0].text.empty()) return std::nullopt;
  return Endpoint{reply.items[0].text, port};
}

// id host flags master ping pong epoch state slot... with slots as 7, 0-5460,
// and as [77->-id] and [93-<-id] those that are on their way.
std::vector<bool> slots_at_rest(const Reply& reply) {
  std::vector<bool> own(slot_count, false);
  std::istringstream lines(reply.text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> word;
    for (std::string each; words >> each;) word.push_back(each);
    if (word.size() < 8 || word[2].find("myself") == std::string::npos) continue;
    for (const bool moving : {false, true})
      for (std::size_t i = 8; i < word.size(); ++i) {
        if ((word[i][0] == '[') != moving) continue;
        const char* begin = word[i].data() + moving;
        const char* end = word[i].data() + word[i].size();
        std::size_t first = 0, last = 0;
        const auto [dash, bad] = std::from_chars(begin, end, first);
        last = first;
        if (!moving && dash != end) std::from_chars(dash + 1, end, last);
        if (bad != std::errc{} || first > last || last >= slot_count) continue;
        for (auto slot = first; slot <= last; ++slot) own[slot] = !moving;
      }
  }
  return own;
}

}  // namespace sancho::redis
