// The head of a request, read a second time from its bytes. The oracle is a
// naive reader, written from the rules and not from the code.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "head.hpp"

namespace {
using Lines = std::vector<std::pair<std::string, std::string>>;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool token(const std::string& name) {  // in lower case
  const std::string marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&marks](char c) {
    return ('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || marks.find(c) != std::string::npos;
  });
}

bool blank(char c) { return c == ' ' || c == '\t'; }

// Names and values in their order: lower-case names, values without the blanks
// around them, nothing decoded.
Lines read(const std::string& head) {
  Lines lines;
  bool request_line = true;
  std::string line;
  for (const char c : head) {
    if (c != '\n') {
      line += c;
      continue;
    }
    const auto colon = line.find(':');
    if (!request_line && line.ends_with('\r') && colon != std::string::npos) {
      auto name = lower(line.substr(0, colon)), value = line.substr(colon + 1, line.size() - colon - 2);
      while (!value.empty() && blank(value.front())) value.erase(0, 1);
      while (!value.empty() && blank(value.back())) value.pop_back();
      // These four are cpp-httplib's to say, in whatever spelling.
      const bool facts = name == "remote_addr" || name == "remote_port" || name == "local_addr" || name == "local_port";
      if (token(name) && !facts) lines.emplace_back(name, value);
    }
    request_line = false;
    line.clear();
  }
  return lines;
}

std::vector<std::string> values(const Lines& lines, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& [other, value] : lines)
    if (other == name) found.push_back(value);
  return found;
}

void compare(const httplib::Headers& headers, const Lines& expected, const std::string& head) {
  require(headers.size() == expected.size());
  for (const auto& [name, value] : headers) {
    require(head.find(value) != std::string::npos);
    const auto [from, to] = headers.equal_range(name);
    std::vector<std::string> same;
    for (auto i = from; i != to; ++i) same.push_back(i->second);
    require(same == values(expected, lower(name)));
  }
}

// Two readers of one connection must not differ on where the body ends, so all
// that could be read in two ways is uncertain.
void compare(const sancho::BodySize& size, const Lines& lines) {
  const auto lengths = values(lines, "content-length");
  if (!values(lines, "transfer-encoding").empty() || lengths.size() > 1) return require(!size.certain);
  if (lengths.empty()) return require(size.certain && size.bytes == 0);
  const auto& text = lengths.front();
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  const auto significant = text.substr(std::min(text.find_first_not_of('0'), text.size()));
  const std::string most = std::to_string(SIZE_MAX);
  const bool fits = significant.size() < most.size() || (significant.size() == most.size() && significant <= most);
  require(size.certain == (digits && fits));
  if (size.certain) require(std::to_string(size.bytes) == (significant.empty() ? "0" : significant));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string head(reinterpret_cast<const char*>(data), size);
  const auto expected = read(head);
  const auto headers = sancho::undecoded_headers(head);
  compare(headers, expected, head);
  compare(sancho::body_size(headers), expected);
  return 0;
}
