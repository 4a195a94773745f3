#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.hpp"
#include "sancho/error.hpp"
#include "sancho/peer.hpp"

namespace sancho {

namespace {
// IPv4 addresses are kept as `::ffff:a.b.c.d`.
constexpr std::array<std::uint8_t, 12> v4_mark{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_mark_bits = 96;

// Each request brings one, and `inet_pton` and `inet_ntop`, which goes through
// `sprintf`, would be a quarter of what a session costs.
bool parse_v4(std::string_view text, std::uint8_t* bytes) {
  unsigned value = 0, digits = 0, part = 0;
  for (const char c : text) {
    if (is_digit(c)) {
      if (digits > 0 && value == 0) return false;  // 01
      value = value * 10 + static_cast<unsigned>(c - '0');
      if (value > 255) return false;
      ++digits;
    } else {
      if (c != '.' || digits == 0 || part == 3) return false;
      bytes[part++] = static_cast<std::uint8_t>(value);
      value = digits = 0;
    }
  }
  bytes[part] = static_cast<std::uint8_t>(value);
  return part == 3 && digits > 0;
}

std::string text_of_v4(const std::uint8_t* bytes) {
  char out[15];  // of 255.255.255.255
  char* at = out;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) *at++ = '.';
    const unsigned value = bytes[part];
    if (value >= 100) *at++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *at++ = static_cast<char>('0' + value / 10 % 10);
    *at++ = static_cast<char>('0' + value % 10);
  }
  return {out, at};
}
}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  Address address;
  if (parse_v4(text, address.bytes_.data() + v4_mark.size())) {
    std::copy(v4_mark.begin(), v4_mark.end(), address.bytes_.begin());
    return address;
  }
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return std::nullopt;
  *std::copy(text.begin(), text.end(), terminated) = '\0';
  if (inet_pton(AF_INET6, terminated, address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

bool Address::is_v4() const { return std::equal(v4_mark.begin(), v4_mark.end(), bytes_.begin()); }

std::string Address::text() const {
  if (is_v4()) return text_of_v4(bytes_.data() + v4_mark.size());
  char out[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, bytes_.data(), out, sizeof out);
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_.back() == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool is_loopback(std::string_view address) {
  const auto parsed = Address::parse(address);
  return parsed && parsed->is_loopback();
}

Network Network::parse(std::string_view text) {
  const auto refuse = [&](const char* why) { throw ConfigError("the network '" + std::string(text) + "' " + why); };
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) refuse("is no address, as in 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32");
  Network network;
  network.base_ = *address;
  if (slash == std::string_view::npos) return network;
  const auto length = text.substr(slash + 1);
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc{} || end != length.data() + length.size() || bits > (dotted ? 32u : 128u))
    refuse("has no prefix length behind its /");
  if (bits == 0) refuse("is everybody: name the proxies");
  network.prefix_ = dotted ? v4_mark_bits + bits : bits;
  for (unsigned bit = network.prefix_; bit < 128; ++bit)
    if (address->bytes_[bit / 8] >> (7 - bit % 8) & 1) refuse("has bits behind its prefix: write them as zero");
  return network;
}

bool Network::contains(const Address& address) const {
  const auto whole = prefix_ / 8, rest = prefix_ % 8;
  if (std::memcmp(base_.bytes_.data(), address.bytes_.data(), whole) != 0) return false;
  return rest == 0 || (base_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - rest) == 0;
}

}  // namespace sancho
