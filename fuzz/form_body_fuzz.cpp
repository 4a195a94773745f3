// A form as cpp-httplib reads it: whatever a body decodes to, no field of it is
// a token, a pre-session or a session that we did not make. Ours is found in
// it, whatever stands before.
#include <httplib.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "sancho/csrf.hpp"
#include "sancho/id.hpp"
#include "sancho/pre_session.hpp"
#include "sancho/stores/memory.hpp"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}

httplib::Params read(const std::string& body) {
  httplib::Params fields;
  httplib::detail::parse_query_text(body, fields);
  return fields;
}

// Everything that has a secret. Drawn anew for every input: a fuzzer that
// watches comparisons learns what an input before was shown.
struct Ours {
  sancho::RandomSource& random = sancho::system_random();
  sancho::CsrfSecret secret = drawn();
  sancho::PreSessions pre{"fuzz", {drawn()}};
  std::unique_ptr<sancho::SessionStore> store = sancho::open_memory_store();
  sancho::SessionId id = sancho::SessionId::draw(random);
  Ours() {
    const auto now = sancho::system_clock().now();
    const sancho::Duration year = std::chrono::hours{8760};
    store->create(key(id), {.version = {1, 1}, .created = now, .accessed = now, .idle = year, .ends = now + year},
                  soon());
  }

  // What these texts are good for; the same questions for a stranger's and ours.
  bool token(const std::string& form, const std::string& text) const {
    return sancho::check_csrf_token(secret, form, text);
  }
  bool session(const std::string& text) {
    const auto parsed = sancho::SessionId::parse(text);
    require(!parsed || parsed->reveal() == text);
    return parsed && store->load(key(*parsed), soon());
  }

  static sancho::SessionKey key(const sancho::SessionId& id) { return sancho::SessionKey::of("fuzz", id); }
  static sancho::Deadline soon() { return sancho::Deadline::after(std::chrono::seconds{5}); }
  sancho::CsrfSecret drawn() const {
    sancho::CsrfSecret bytes;
    random.fill(bytes);
    return bytes;
  }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Ours ours;
  const std::string body(reinterpret_cast<const char*>(data), size);
  for (const auto& [name, value] : read(body))
    for (const auto& text : {name, value}) {
      require(!ours.token("order", text) && !ours.token(name, text));
      require(!ours.pre.open(text));
      require(!ours.session(text));
    }

  const auto token = sancho::mask_csrf_token(ours.secret, "order", ours.random);
  const auto cookie = ours.pre.issue(ours.random);
  const auto fields = read(body + "&token=" + token + "&pre=" + cookie + "&id=" + ours.id.reveal());
  const auto any = [&fields](const std::string& name, const auto& good) {
    const auto [from, to] = fields.equal_range(name);
    return std::any_of(from, to, [&good](const auto& field) { return good(field.second); });
  };
  require(any("token", [&ours](const auto& text) { return ours.token("order", text); }));
  require(any("pre", [&ours](const auto& text) { return ours.pre.open(text).has_value(); }));
  require(any("id", [&ours](const auto& text) { return ours.session(text); }));
  return 0;
}
