// Writes records into a directory, each as `NAME.bin` and, told from the values
// and not from the bytes, as `NAME.json`.
//
//     write_golden DIRECTORY
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "protocol/payload.hpp"
#include "sancho/codec.hpp"

namespace {
using namespace sancho;
using namespace sancho::protocol;
using namespace std::chrono_literals;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}
template <class T>
std::string hex_of(const T& array) { return hex({reinterpret_cast<const char*>(array.data()), array.size()}); }
std::string quoted(std::string_view s) { return fmt::format("\"{}\"", s); }
std::int64_t ms(Time t) { return t.time_since_epoch().count(); }

template <std::size_t N>
std::array<std::byte, N> pattern(unsigned first) {
  std::array<std::byte, N> out;
  for (auto& b : out) b = static_cast<std::byte>(first++);
  return out;
}

const Time start{1'700'000'000'000ms};

struct Golden {
  std::string name;
  Record record{};
  Payload payload{};
  std::string user_json = "null";
  std::string slots_json = "{}";   // by hand: the values as another language sees them
  std::string unknown_json = "{}";
};

// The worked example of DESIGN.md.
Golden example() {
  Golden g{.name = "example"};
  g.record.version = {0x0102030405060708, 1};
  g.record.created = start;
  g.record.accessed = start + 1min;
  g.record.idle = 30min;
  g.record.ends = start + 12h;
  g.record.subject = "ada";
  g.record.handle = *Handle::parse("AAECAwQFBgcICQoL");
  g.payload.attempts = {0x0102030405060708, 0x1112131415161718};
  g.payload.issued = start;
  g.payload.authenticated = start;
  g.payload.remote_address = "192.0.2.1";
  g.payload.user = encode(std::string("ada"));
  g.payload.put("visits", encode(2));
  g.user_json = "\"ada\"";
  g.slots_json = "{\"visits\": 2}";
  return g;
}

Golden everything() {
  auto g = example();
  g.name = "everything";
  g.record.version = {0xffffffffffffffff, 300};
  g.record.subject = "j\xc3\xbcrgen";
  g.payload.spent = {{pattern<16>(0x20), 7}, {pattern<16>(0x30), 8}};
  g.payload.predecessor = SessionKey::from_bytes(std::string(32, '\x5a'));
  g.payload.persistent = true;
  g.payload.user_agent = std::string(200, 'b');
  g.payload.tokens = {pattern<16>(0x40), pattern<16>(0x50)};
  g.payload.csrf = pattern<32>(0x60);
  g.payload.user = encode(std::map<std::string, std::int64_t>{{"id", -7}});
  g.user_json = "{\"id\": -7}";
  g.payload.slots.clear();
  g.payload.put("list", encode(std::vector<int>(20, 1)));
  g.payload.put("long", encode(std::string(300, 'x')));
  g.payload.put("numbers", encode(std::vector<std::int64_t>{0, 127, 128, 65536, -1, -33, -129, -40000, INT64_MIN, INT64_MAX}));
  g.payload.put("real", encode(0.5));
  g.payload.put("nothing", encode(std::optional<int>{}));
  g.payload.put("yes", encode(true));
  g.slots_json = fmt::format(
      R"({{"list": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], "long": "{}", "numbers": [0,127,128,65536,-1,-33,-129,-40000,{},{}], "real": 0.5, "nothing": null, "yes": true}})",
      std::string(300, 'x'), INT64_MIN, INT64_MAX);
  Packer newer;
  newer.text("later"), newer.binary("\x01\x02");
  g.payload.unknown = std::move(newer).take();
  g.unknown_json = "{\"later\": {\"hex\": \"0102\"}}";
  return g;
}

std::vector<Golden> all() {
  std::vector<Golden> out{example(), everything()};
  auto moved = example();
  moved.name = "moved", moved.record.state = State::moved;
  moved.payload.successor = SessionKey::from_bytes(std::string(32, '\xa5'));
  moved.payload.nonce = pattern<16>(0x70);
  moved.payload.used = start + 5min;
  out.push_back(moved);
  for (const auto why : {EndReason::logout, EndReason::login, EndReason::reauth, EndReason::empty}) {
    Golden ended{.name = fmt::format("ended-{}", static_cast<int>(why)), .record = example().record};
    ended.record.state = State::ended;
    ended.payload.why = why;
    ended.payload.issued = start;
    out.push_back(ended);
  }
  Golden visitor{.name = "visitor"};
  visitor.record.state = State::pending;
  visitor.record.created = visitor.record.accessed = visitor.record.ends = start;
  visitor.payload.issued = start;
  out.push_back(visitor);
  return out;
}

std::string json(const Golden& g) {
  const auto& r = g.record;
  const auto& p = g.payload;
  const auto list = [](const auto& items, auto each) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + each(item);
    return "[" + out + "]";
  };
  std::string out = fmt::format(
      R"({{"inc": {}, "n": {}, "state": "{}", "created": {}, "accessed": {}, "idle": {}, "ends": {}, "subject": "{}", "handle": "{}", "payload": {{"issued": {}, "why": {}, "keep": {}, "addr": "{}", "agent": "{}")",
      r.version.incarnation, r.version.counter, to_string(r.state), ms(r.created), ms(r.accessed), r.idle.count(), ms(r.ends), r.subject, r.handle.text(),
      ms(p.issued), static_cast<int>(p.why), p.persistent, p.remote_address, p.user_agent);
  out += ", \"attempts\": " + list(p.attempts, [](Attempt a) { return std::to_string(a); });
  out += ", \"spent\": " + list(p.spent, [](const Spent& s) { return fmt::format("[\"{}\", {}]", hex_of(s.token), s.attempt); });
  out += ", \"tokens\": " + list(p.tokens, [](const TokenDigest& t) { return quoted(hex_of(t)); });
  out += ", \"pred\": " + (p.predecessor ? quoted(p.predecessor->hex()) : "null");
  out += ", \"succ\": " + (p.successor ? quoted(p.successor->hex()) : "null");
  out += ", \"nonce\": " + (p.nonce ? quoted(hex_of(*p.nonce)) : "null");
  out += ", \"used\": " + (p.used ? std::to_string(ms(*p.used)) : "null");
  out += ", \"auth\": " + (p.authenticated ? std::to_string(ms(*p.authenticated)) : "null");
  out += ", \"csrf\": " + (p.csrf ? quoted(hex_of(*p.csrf)) : "null");
  out += ", \"user\": " + g.user_json + ", \"slots\": " + g.slots_json + ", \"unknown\": " + g.unknown_json + "}}\n";
  return out;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: write_golden DIRECTORY\n", stderr), 2;
  for (auto& golden : all()) {
    golden.record.payload = seal(golden.record, golden.payload);
    const auto path = std::string(argv[1]) + "/" + golden.name;
    std::ofstream(path + ".bin", std::ios::binary) << encode_record(golden.record);
    std::ofstream(path + ".json") << json(golden);
  }
  return 0;
}
