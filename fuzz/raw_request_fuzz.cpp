// A request that is read from its bytes. It must not matter in which pieces they
// come, and where the head ends is what a naive reader says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sancho/http.hpp"
#include "sancho/raw_request.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Read {
  std::size_t head = 0, body = 0;  // bytes taken
  bool whole = false, clean = false, certain = false, chunked = false, body_whole = false, broken = false;
  std::size_t length = 0, said = 0;
  std::string text;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view bytes, std::size_t piece) {
  Read read;
  sancho::RawHead head;
  while (read.head < bytes.size()) {
    const auto n = head.feed(bytes.substr(read.head, piece));
    if (n == 0) break;
    read.head += n;
  }
  read.whole = head.whole();
  read.clean = head.clean();
  const auto framing = head.framing();
  read.certain = framing.certain;
  read.chunked = framing.chunked;
  read.length = framing.length;
  for (const auto& [name, value] : head.lines())
    read.said += sancho::same_header(name, "Content-Length") || sancho::same_header(name, "Transfer-Encoding");
  sancho::RawBody body(framing);
  bytes.remove_prefix(read.head);
  while (read.body < bytes.size()) {
    const auto n = body.feed(bytes.substr(read.body, piece), read.text);
    if (n == 0) break;
    read.body += n;
  }
  read.body_whole = body.whole();
  read.broken = body.broken();
  return read;
}

// Behind the first empty line; nothing if there is none.
std::size_t end_of_head(std::string_view bytes) {
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto end = bytes.find('\n', begin);
    if (end == std::string_view::npos) return 0;
    if (end == begin || (end == begin + 1 && bytes[begin] == '\r')) return end + 1;
    begin = end + 1;
  }
  return 0;
}

void check(std::string_view bytes, const Read& found) {
  const auto end = end_of_head(bytes);
  require(found.whole == (end != 0) && (!found.whole || found.head == end));
  require(found.whole || (!found.clean && found.head == bytes.size()));
  require(!found.certain || (found.clean && found.said <= 1));
  if (found.clean)
    for (std::size_t i = 0; i < end; ++i) {
      require(bytes[i] != '\n' || (i > 0 && bytes[i - 1] == '\r'));
      require(bytes[i] != '\r' || bytes[i + 1] == '\n');
      require(bytes[i] != '\0' && bytes[i] != '\xff');
    }
  if (found.certain && !found.chunked) {
    require(found.text == bytes.substr(end, found.length));
    require(found.body_whole == (bytes.size() - end >= found.length) && !found.broken);
  }
  require(!(found.body_whole && found.broken) && found.text.size() <= found.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 60'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto at_once = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  check(bytes, at_once);
  require(at_once == read(bytes, data[0] % 16 + 1));
  return 0;
}
