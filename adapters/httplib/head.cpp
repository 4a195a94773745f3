#include "head.hpp"

#include <algorithm>
#include <charconv>

#include "sancho/http.hpp"

namespace sancho {

namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The next line without its end, taken off `rest`; nothing for one that is
// not ended by CRLF.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (end == std::string_view::npos || line.empty() || line.back() != '\r') return {};
  line.remove_suffix(1);
  return line;
}

// cpp-httplib keeps its own facts about the connection among the headers, and
// a client may not state them, in whatever case: its line would stand first.
bool is_reserved(std::string_view name) {
  return same_header(name, "REMOTE_ADDR") || same_header(name, "REMOTE_PORT") || same_header(name, "LOCAL_ADDR") ||
         same_header(name, "LOCAL_PORT");
}

}  // namespace

httplib::Headers undecoded_headers(std::string_view head) {
  httplib::Headers headers;
  next_line(head);  // the request line
  while (!head.empty()) {
    const auto line = next_line(head);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    if (is_token(name) && !is_reserved(name)) headers.emplace(name, trim(line.substr(colon + 1)));
  }
  return headers;
}

bool is_clean(std::string_view head) {
  while (!head.empty()) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') return false;
    head.remove_prefix(end + 1);
    if (head.empty() || head == "\r\n") return true;
    if (!is_token(head.substr(0, head.find(':'))) || head.find(':') > head.find('\n')) return false;
  }
  return true;
}

BodySize body_size(const httplib::Headers& headers) {
  if (headers.count("Transfer-Encoding") > 0 || headers.count("Content-Length") > 1) return {.certain = false};
  const auto length = headers.find("Content-Length");
  if (length == headers.end()) return {};
  const auto& text = length->second;
  BodySize size;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size.bytes);
  size.certain = error == std::errc{} && end == text.data() + text.size();
  return size;
}

}  // namespace sancho
