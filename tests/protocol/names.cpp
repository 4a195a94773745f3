#include "names.hpp"

#include <algorithm>

namespace sancho::proof {

namespace {
// Gives out bytes that are known already, to make an id of them.
class Given final : public RandomSource {
 public:
  explicit Given(std::span<const std::byte> bytes) : bytes_(bytes) {}
  void fill(std::span<std::byte> out) override { std::copy_n(bytes_.begin(), out.size(), out.begin()); }

 private:
  std::span<const std::byte> bytes_;
};
}  // namespace

SessionId id_of(char all) {
  std::array<std::byte, 32> bytes;
  bytes.fill(static_cast<std::byte>(all));
  Given given(bytes);
  return SessionId::draw(given);
}

Nonce nonce_of(char all) {
  Nonce nonce;
  nonce.fill(static_cast<std::byte>(all));
  return nonce;
}

Names::Names() { rows_.push_back({id_of(0), {}, "none"}); }

IdNo Names::add(const SessionId& id, std::string label) {
  const auto key = SessionKey::of("", id);
  const auto [at, fresh] = by_key_.try_emplace(key, static_cast<IdNo>(rows_.size()));
  if (fresh) rows_.push_back({id, key, std::move(label)});
  return at->second;
}

void Names::drew_nonce(const Nonce& nonce, std::string label) {
  const auto same = [&](const Drawn& d) { return d.nonce == nonce; };
  if (std::none_of(nonces_.begin(), nonces_.end(), same)) nonces_.push_back({nonce, std::move(label)});
}

IdNo Names::of(const SessionId& id) { return of(SessionKey::of("", id)); }

IdNo Names::of(const SessionKey& key) {
  if (const auto at = by_key_.find(key); at != by_key_.end()) return at->second;
  for (std::size_t i = rows_.size(); i-- > 1;)
    for (std::size_t j = nonces_.size(); j-- > 0;) {
      const auto next = rows_[i].id.successor(nonces_[j].nonce);
      if (SessionKey::of("", next) == key) return add(next, rows_[i].label + "/" + nonces_[j].label);
    }
  throw std::logic_error("a key that belongs to no id of this scenario");
}

bool Names::related(IdNo a, IdNo b) const {
  const auto &x = rows_[a].label, &y = rows_[b].label;
  return a == 0 || b == 0 || x.starts_with(y) || y.starts_with(x);
}

void Chance::fill(std::span<std::byte> out) {
  ++drawn_;
  std::fill(out.begin(), out.end(), std::byte{0});
  out[0] = static_cast<std::byte>(drawn_ & 0xff);
  out[1] = static_cast<std::byte>(drawn_ >> 8 & 0xff);
  out.back() = static_cast<std::byte>(who_);
  const auto label = who_ + std::to_string(drawn_);
  if (out.size() == 32) {
    Given given(out);
    names_.add(SessionId::draw(given), label);
  } else if (out.size() == sizeof(Nonce)) {
    Nonce nonce;
    std::copy(out.begin(), out.end(), nonce.begin());
    names_.drew_nonce(nonce, label);
  }
}

}  // namespace sancho::proof
