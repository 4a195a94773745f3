// Any text is a URI or a `ConfigError`, and no message tells a password.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sancho/error.hpp"
#include "stores/uri.hpp"

namespace {
void require(bool fact) {
  if (!fact) std::abort();
}

bool printable(std::string_view text) {
  for (const unsigned char c : text)
    if (c < 0x20 || c == 0x7f) return false;
  return true;
}

// What stands between `://` and the last `@` is the secret, if it is long
// enough not to occur in our own words.
std::string_view secret_of(std::string_view text) {
  const auto begin = text.find("://");
  const auto at = text.rfind('@');
  if (begin == text.npos || at == text.npos || at < begin + 3 + 12) return {};
  return text.substr(begin + 3, at - begin - 3);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto uri = sancho::StoreUri::parse(text);
    require(!uri.scheme.empty());
    require(uri.path.size() <= text.size());
    require(uri.path.find('\0') == uri.path.npos);
    for (const auto& [name, value] : uri.options) require(!name.empty() && value.size() <= text.size());
  } catch (const sancho::ConfigError& e) {
    require(printable(e.what()));
    if (const auto secret = secret_of(text); !secret.empty())
      require(std::string_view(e.what()).find(secret) == std::string_view::npos);
  }
  require(printable(sancho::redacted(text)));
  return 0;
}
