// Texts that claim to be tokens: none that we did not make is good, whatever
// it is, and whatever form it names.
#include <cstdlib>
#include <string>

#include "sancho/csrf.hpp"
#include "sancho/id.hpp"
#include "sancho/pre_session.hpp"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Drawn for this run: no corpus can hold what fits them.
  static const auto secret = [] {
    sancho::CsrfSecret s;
    sancho::system_random().fill(s);
    return s;
  }();
  static const sancho::PreSessions pre("fuzz", {secret});
  require(!sancho::check_csrf_token(secret, "form", text));
  require(!pre.open(text));

  // The text as a form's name, and as damage to a good token.
  auto token = sancho::mask_csrf_token(secret, text, sancho::system_random());
  require(token.size() == sancho::csrf_token_size && sancho::check_csrf_token(secret, text, token));
  auto cookie = pre.issue(sancho::system_random());
  require(pre.open(cookie).has_value());
  if (size >= 2) {
    const auto at = data[0] % token.size(), place = data[0] % cookie.size();
    const auto c = static_cast<char>(data[1]);
    const bool same_token = token[at] == c, same_cookie = cookie[place] == c;
    token[at] = cookie[place] = c;
    require(sancho::check_csrf_token(secret, text, token) == same_token);
    require(pre.open(cookie).has_value() == same_cookie);
  }

  // An id has one spelling.
  const auto id = sancho::SessionId::parse(text);
  if (id) require(id->reveal() == text);
  sancho::json_only(text);
  return 0;
}
