#include "sancho/raw_request.hpp"

#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"
#include "sancho/adapter.hpp"

namespace sancho {

namespace {

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f && byte != 0xff) || byte == '\t';
}

// The next line without its end, taken off `rest`.
std::string_view next_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// `GET /path HTTP/1.1`
bool is_request_line(std::string_view line) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == last) return false;  // or there is none
  const auto target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
  const bool one = !target.empty() && target.find_first_of(" \t") == std::string_view::npos;
  return is_token(line.substr(0, first)) && one && (version == "HTTP/1.1" || version == "HTTP/1.0");
}

bool is_header_line(std::string_view line) {
  return is_token(line.substr(0, line.find(':'))) && line.find(':') < line.size();
}

// Digits and nothing else, and not so many that they count round.
bool read_length(std::string_view text, std::size_t& length) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return std::from_chars(text.data(), text.data() + text.size(), length).ec == std::errc{};
}

}  // namespace

// ## The head

std::size_t RawHead::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !whole_ && text_.size() < most_) {
    const auto room = bytes.substr(taken, most_ - text_.size());
    const auto piece = room.substr(0, room.find('\n') + 1 == 0 ? room.size() : room.find('\n') + 1);
    text_ += piece;
    taken += piece.size();
    if (!piece.ends_with('\n')) continue;
    const auto line = std::string_view(text_).substr(line_);
    whole_ = line == "\r\n" || line == "\n";
    line_ = text_.size();
  }
  return taken;
}

bool RawHead::clean() const {
  if (!whole_) return false;
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
    if (at == 0 || text_[at - 1] != '\r') return false;
  std::string_view rest = text_;
  if (!is_request_line(next_line(rest))) return false;
  while (rest != "\r\n") {
    const auto line = next_line(rest);
    if (!is_header_line(line) || !std::all_of(line.begin(), line.end(), is_text)) return false;
  }
  std::string_view first = text_;
  first = next_line(first);
  return std::all_of(first.begin(), first.end(), is_text);
}

Framing RawHead::framing() const {
  if (!clean()) return {};
  Framing framing{.certain = true};
  int said = 0, hosts = 0;
  for (const auto& [name, value] : lines()) {
    if (same_header(name, "Host") && ++hosts > 1) return {};
    const bool coding = same_header(name, "Transfer-Encoding");
    if (!coding && !same_header(name, "Content-Length")) continue;
    if (++said > 1 || (coding && !is_1_1())) return {};  // HTTP/1.0 knows no codings
    framing.chunked = coding;
    if (coding ? !same_header(value, "chunked") : !read_length(value, framing.length)) return {};
  }
  return framing;
}

std::string_view RawHead::method() const { return std::string_view(text_).substr(0, text_.find(' ')); }

std::string_view RawHead::target() const {
  const auto begin = text_.find(' ') + 1;
  return std::string_view(text_).substr(begin, text_.find(' ', begin) - begin);
}

bool RawHead::is_1_1() const {
  std::string_view rest = text_;
  return next_line(rest).ends_with("/1.1");
}

std::vector<std::pair<std::string_view, std::string_view>> RawHead::lines() const {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  std::string_view rest = text_;
  next_line(rest);  // the request line
  while (!rest.empty()) {
    const auto line = next_line(rest);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) all.emplace_back(line.substr(0, colon), trim_blank(line.substr(colon + 1)));
  }
  return all;
}

void RawHead::add_to(RequestHead& head) const {
  for (const auto& [name, value] : lines()) head.add(name, value);
}

void RawHead::clear() {
  text_.clear();
  line_ = 0;
  whole_ = false;
}

// ## The body

RawBody::RawBody(const Framing& framing) {
  left_ = framing.length;
  if (!framing.certain)
    state_ = State::broken;
  else if (framing.chunked)
    state_ = State::size;
  else
    state_ = left_ == 0 ? State::whole : State::bytes;
}

std::size_t RawBody::feed(std::string_view bytes, std::string& body) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !whole() && !broken()) {
    if (state_ != State::bytes && state_ != State::data) {
      take(bytes[taken++]);
      continue;
    }
    const auto piece = bytes.substr(taken, left_);
    body += piece;
    taken += piece.size();
    left_ -= piece.size();
    if (left_ == 0) state_ = state_ == State::bytes ? State::whole : State::data_return;
  }
  return taken;
}

void RawBody::take_digit(char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto value = hex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  if (value == std::string_view::npos) {
    // A size of more than fifteen digits counts round somewhere.
    const bool read = digits_ > 0 && digits_ <= 15;
    state_ = !read ? State::broken : c == '\r' ? State::size_end : c == ';' ? State::extension : State::broken;
    return;
  }
  left_ = left_ * 16 + value;
  if (++digits_ > 15) state_ = State::broken;
}

// One byte of what stands around the chunks.
void RawBody::take(char c) {
  constexpr std::size_t enough = 16 * 1024;
  const auto expect = [&](char wanted, State next) { state_ = c == wanted ? next : State::broken; };
  const bool loose = state_ == State::extension || state_ == State::trailer;
  if (loose && (++spent_ > enough || (!is_text(c) && c != '\r'))) {
    state_ = State::broken;
    return;
  }
  switch (state_) {
    case State::size:
      return take_digit(c);
    case State::extension:
      if (c == '\r') state_ = State::size_end;
      return;
    case State::size_end:
      trailing_ = digits_ = 0;
      return expect('\n', left_ == 0 ? State::trailer : State::data);
    case State::data_return:
      return expect('\r', State::data_end);
    case State::data_end:
      return expect('\n', State::size);
    case State::trailer:
      if (c == '\r')
        state_ = State::trailer_end;
      else
        ++trailing_;
      return;
    case State::trailer_end:
      expect('\n', trailing_ == 0 ? State::whole : State::trailer);
      trailing_ = 0;
      return;
    case State::bytes:
    case State::data:
    case State::whole:
    case State::broken:
      return;
  }
}

}  // namespace sancho
