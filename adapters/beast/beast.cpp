// Requests and responses of Beast.
#include "sancho/adapters/beast.hpp"

#include <algorithm>
#include <string_view>

#include "sancho/error.hpp"

namespace sancho {

namespace http = boost::beast::http;

namespace {

std::string_view text(boost::beast::string_view of) { return {of.data(), of.size()}; }

// RFC 9110, section 5.5.
bool has_control(std::string_view value) {
  bool found = false;
  for (const char c : value) found |= ((static_cast<unsigned char>(c) < ' ') & (c != '\t')) | (c == 0x7f);
  return found;
}

bool is_number(std::string_view value) {
  return !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
}

// A response's head, for `put_lines`.
struct Head {
  http::fields& lines;
  void add(const std::string& name, const std::string& value) { lines.insert(name, value); }
  void replace(const std::string& name, const std::string& value) { lines.set(name, value); }
  bool has(const std::string& name, const std::string& value) const {
    const auto [first, last] = lines.equal_range(name);
    return std::any_of(first, last, [&](const auto& line) { return text(line.value()) == value; });
  }
};

detail::BeastText plain(int status, std::string_view body) {
  detail::BeastText response(static_cast<http::status>(status), 11, std::string(body));
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  return response;
}

}  // namespace

// A zone says on which of our interfaces the address is, and is no part of it.
BeastPeer BeastPeer::of(const boost::asio::ip::tcp::endpoint& other_end, bool https) {
  auto address = other_end.address();
  if (address.is_v6()) address = boost::asio::ip::address_v6(address.to_v6().to_bytes());
  return {address.to_string(), https};
}

void BeastHandshake::put(http::fields& lines) const { detail::put(handshake.answer, lines); }

namespace detail {

void must_be_sendable(const http::response_header<>& head) {
  const auto refuse = [](const std::string& what) {
    throw UsageError("rule broken: a response cannot be sent with " + what);
  };
  if (has_control(text(head.reason()))) refuse("a control character in its reason");
  for (const auto& line : head) {
    const auto name = text(line.name_string());
    if (!is_token(name)) refuse("a header line whose name is none");
    if (has_control(text(line.value()))) refuse("a control character in " + std::string(name));
  }
}

bool has_body(const http::response_header<>& head) {
  return http::to_status_class(head.result()) != http::status_class::informational &&
         head.result() != http::status::no_content && head.result() != http::status::not_modified;
}

// By the lengths of names first: most lines are none of these.
bool is_certain(const http::fields& lines, unsigned version) {
  int codings = 0, lengths = 0, hosts = 0, each_forwarded[3] = {};
  for (const auto& line : lines) {
    const auto name = text(line.name_string()), value = text(line.value());
    switch (name.size()) {
      case 4: hosts += same_header(name, "Host"); break;
      case 9: each_forwarded[0] += same_header(name, "Forwarded"); break;
      case 14:
        if (same_header(name, "Content-Length") && (++lengths > 1 || !is_number(value))) return false;
        break;
      case 15: each_forwarded[1] += same_header(name, "X-Forwarded-For"); break;
      case 17:
        each_forwarded[2] += same_header(name, "X-Forwarded-Proto");
        if (same_header(name, "Transfer-Encoding") && (++codings > 1 || !same_header(value, "chunked"))) return false;
        break;
      default: break;
    }
  }
  if (codings + lengths > 1 || hosts > 1) return false;
  if (version < 11) return codings == 0;
  if (hosts != 1) return false;
  return codings == 0 || std::all_of(std::begin(each_forwarded), std::end(each_forwarded), [](int n) { return n <= 1; });
}

void collect(const http::fields& lines, RequestHead& head) {
  for (const auto& line : lines) head.add(text(line.name_string()), text(line.value()));
}

Answer uncertain() { return {.status = 400}; }

void put(const Answer& answer, http::fields& lines) { put_lines(answer, Head{lines}); }

namespace {

BeastText failure(const Answer& answer, std::string_view text, const BeastErrorPage& page, const BeastAsked& asked) {
  std::optional<BeastText> response;
  try {
    if (page) {
      response.emplace(page(static_cast<unsigned>(answer.status), answer.error));
      response->result(static_cast<unsigned>(answer.status));
      complete(*response, asked, true);
    }
  } catch (...) {  // the page for an error is itself in error: the plain answer says the same
    response.reset();
  }
  if (!response) {
    response.emplace(plain(answer.status, text));
    complete(*response, asked, true);
  }
  put(answer, response->base());
  return std::move(*response);
}

}  // namespace

BeastText failure(const Answer& answer, const BeastErrorPage& page, const BeastAsked& asked) {
  return failure(answer, plain_text(answer.status), page, asked);
}

BeastHandshake conclude(Handshake handshake, const BeastErrorPage& page, const BeastAsked& asked) {
  BeastHandshake opening{std::move(handshake), std::nullopt};
  if (opening.handshake.refused())
    opening.refusal = message(failure(opening.handshake.answer, opening.handshake.text(), page, asked), asked.head);
  return opening;
}

http::message_generator head_of(http::response_header<> head) {
  http::response<http::empty_body> response(std::move(head));
  // Else an empty body would be written.
  if (response.chunked()) response.chunked(false);
  return http::message_generator(std::move(response));
}

http::message_generator message(BeastText&& response, bool head) {
  if (head) return head_of(std::move(response.base()));
  return http::message_generator(std::move(response));
}

}  // namespace detail
}  // namespace sancho
