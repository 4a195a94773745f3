#include "sancho/response.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "sancho/adapter.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {
bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f'; }

// Where the answer ends and whether another may follow: the server's to say. Said
// twice, what stands behind the one end would be another answer to somebody.
bool is_framing(std::string_view name) {
  return same_header(name, "Content-Length") || same_header(name, "Transfer-Encoding") || same_header(name, "Connection");
}

void check(std::string_view name, std::string_view value) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_char))
    throw UsageError("rule broken: a header's name is letters, digits and a few marks");
  if (is_framing(name)) throw UsageError("rule broken: " + std::string(name) + " is the server's to say, from `body` or `stream`");
  // The message never quotes the value: it may be a secret.
  if (std::any_of(value.begin(), value.end(), is_control))
    throw UsageError("rule broken: the value of the header " + std::string(name) + " has a control character in it");
}
}  // namespace

void Response::add(std::string_view name, std::string_view value) {
  check(name, value);
  lines_.push_back({std::string(name), std::string(value)});
}

void Response::set(std::string_view name, std::string_view value) {
  check(name, value);
  HeaderLine line{std::string(name), std::string(value)};  // the views may be of a line that goes
  std::erase_if(lines_, [&](const HeaderLine& each) { return same_header(each.name, line.name); });
  lines_.push_back(std::move(line));
}

bool Response::has(const std::string& name, const std::string& value) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const HeaderLine& line) { return same_header(line.name, name) && line.value == value; });
}

void Response::text(std::string_view text, std::string_view type) {
  set("Content-Type", type);
  body = text;
}

void Response::redirect(std::string_view location, int how) {
  set("Location", location);
  status = how;
}

void put_answer(const Answer& answer, Response& response, const ErrorPage& page) {
  const auto plain = [&] {
    response = {};
    response.status = answer.status;
    response.text(plain_text(answer.status));
  };
  if (answer.failed()) {
    response = {};
    response.status = answer.status;
    try {
      if (page)
        page(response, answer.error);
      else
        plain();
    } catch (...) {  // the page for an error is itself in error: the plain answer says the same
      plain();
    }
  }
  put_lines(answer, response);
}

// clang-format off
std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return {};
  }
}
// clang-format on

}  // namespace sancho
