// Any text is a URI or a `ConfigError`, and no message tells a password.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sancho/error.hpp"
#include "stores/uri.hpp"

namespace {
void require(bool fact) {
  if (!fact) std::abort();
}

bool printable(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return true;
}

// What stands between `://` and the last `@` is the secret. Nothing where the
// text repeats it elsewhere, or where our own `***@` and `?` could give it.
std::string_view secret_of(std::string_view text) {
  const auto begin = text.find("://");
  const auto at = text.rfind('@');
  if (begin == text.npos || at == text.npos || at <= begin + 3) return {};
  const auto secret = text.substr(begin + 3, at - begin - 3);
  const bool elsewhere = text.substr(0, begin + 3).find(secret) != text.npos || text.substr(at).find(secret) != text.npos;
  return elsewhere || secret.find_first_of("*@?") != secret.npos ? std::string_view{} : secret;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto shown = sancho::redacted(text);
  require(printable(shown));
  if (const auto secret = secret_of(text); !secret.empty()) require(shown.find(secret) == shown.npos);
  try {
    const auto uri = sancho::StoreUri::parse(text);
    require(!uri.scheme.empty());
    require(uri.path.size() <= text.size());
    require(uri.path.find('\0') == uri.path.npos);
    for (const auto& [name, value] : uri.options) require(!name.empty() && value.size() <= text.size());
  } catch (const sancho::ConfigError& e) {
    // Of the text, a message has what is redacted and no more.
    require(printable(e.what()));
    require(std::string_view(e.what()).substr(0, 11 + shown.size()) == "store URI '" + shown);
  }
  return 0;
}
