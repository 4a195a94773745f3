#include "sancho/request_gate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.hpp"

namespace sancho {

namespace {

// Up to 15 digits, so that it fits wherever it is read; decimal or hexadecimal.
std::optional<std::uint64_t> number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || digits.size() > 15 || error != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

// May this byte follow that one in a head?
bool belongs(char before, char c) {
  if ((c == '\n') != (before == '\r')) return false;
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\r' || c == '\n' || c == '\t';
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

bool read_request_line(std::string_view line, WireHead& head, bool& chunks) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  chunks = version == "HTTP/1.1";
  return is_token(head.method) && head.target.find_first_of(" \t") == std::string_view::npos && !head.target.empty() &&
         (chunks || version == "HTTP/1.0");
}

bool read_lines(std::string_view rest, WireHead& head) {
  for (auto line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    head.lines.emplace_back(line.substr(0, colon), trim_blank(line.substr(colon + 1)));
  }
  return true;
}

// Where the body ends, by the lines that say so.
struct Framing {
  bool certain = true, chunked = false;
  std::uint64_t size = 0;
};

Framing framing(const WireHead& head, bool chunks) {
  int hosts = 0, sizes = 0, codings = 0;
  Framing found;
  for (const auto& [name, value] : head.lines) {
    hosts += same_ignoring_case(name, "Host");
    if (same_ignoring_case(name, "Content-Length")) {
      ++sizes;
      const auto size = number(value, 10);
      found.certain = found.certain && size;
      found.size = size.value_or(0);
    } else if (same_ignoring_case(name, "Transfer-Encoding")) {
      ++codings;
      found.chunked = chunks && same_ignoring_case(value, "chunked");
      found.certain = found.certain && found.chunked;
    }
  }
  found.certain = found.certain && hosts <= 1 && sizes + codings <= 1;
  return found;
}

}  // namespace

void RequestGate::receive(std::string_view bytes) {
  if (refusal_ == 0) buffer_.append(bytes);
}

std::string RequestGate::next() {
  std::string out;
  if (refusal_ == 0 && (state_ != State::head || take_head(out)))
    while (state_ != State::head && step(out)) {
    }
  buffer_.erase(0, taken_);
  taken_ = 0;
  return refusal_ == 0 ? out : std::string();
}

// ## The head

bool RequestGate::take_head(std::string& out) {
  // An empty line before a request is passed over (RFC 9112, section 2.2).
  while (scanned_ == 0 && rest().starts_with("\r\n")) taken_ += 2;
  const auto text = rest();
  if (text == "\r") return false;
  for (;; ++scanned_) {
    if (scanned_ >= limits_.max_head) return refuse(431);
    if (scanned_ == text.size()) return false;
    if (!belongs(scanned_ == 0 ? ' ' : text[scanned_ - 1], text[scanned_])) return refuse(400);
    if (text[scanned_] == '\n' && text.substr(0, scanned_ + 1).ends_with("\r\n\r\n")) break;
  }
  const auto head = std::make_shared<WireHead>();
  head->bytes = text.substr(0, scanned_ + 1);
  std::string_view lines = head->bytes;
  bool chunks = false;
  if (!read_request_line(take_line(lines), *head, chunks) || !read_lines(lines, *head)) return refuse(400);
  const auto body = framing(*head, chunks);
  if (!body.certain) return refuse(400);
  if (body.size > limits_.max_body) return refuse(413);
  take(out, head->bytes.size());
  scanned_ = 0;
  head_ = head;
  left_ = body.size;
  body_ = 0;
  state_ = body.chunked ? State::chunk_size : body.size > 0 ? State::sized : State::head;
  return true;
}

// ## The body

// False: more has to come, or it is refused.
bool RequestGate::step(std::string& out) {
  switch (state_) {
    case State::chunk_size:
      return step_chunk_size(out);
    case State::chunk_end:
      return step_line_end(out, State::chunk_size);
    case State::last:
      return step_line_end(out, State::head);
    default:
      break;
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest().size()));
  take(out, size);
  left_ -= size;
  if (left_ > 0) return false;
  state_ = state_ == State::sized ? State::head : State::chunk_end;
  return true;
}

bool RequestGate::step_chunk_size(std::string& out) {
  constexpr std::size_t longest = 15 + 2;
  const auto line = rest().substr(0, longest);
  const auto end = line.find("\r\n");
  if (end == std::string_view::npos) return line.size() == longest ? refuse(400) : false;
  const auto size = number(line.substr(0, end), 16);
  if (!size) return refuse(400);
  if (*size > limits_.max_body - body_) return refuse(413);
  body_ += *size;
  take(out, end + 2);
  left_ = *size;
  state_ = *size > 0 ? State::chunk : State::last;
  return true;
}

bool RequestGate::step_line_end(std::string& out, State then) {
  const auto seen = rest().substr(0, 2);
  if (!std::string_view("\r\n").starts_with(seen)) return refuse(400);
  if (seen.size() < 2) return false;
  take(out, 2);
  state_ = then;
  return true;
}

void RequestGate::take(std::string& out, std::size_t size) {
  out.append(rest().substr(0, size));
  taken_ += size;
}

bool RequestGate::refuse(int status) {
  refusal_ = status;
  taken_ = buffer_.size();  // nobody needs the rest
  return false;
}

}  // namespace sancho
