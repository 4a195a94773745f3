#include <algorithm>
#include <utility>

#include "sancho/adapters/httplib.hpp"
#include "sancho/error.hpp"
#include "undecoded.hpp"

namespace sancho::detail {

namespace {

constexpr const char* plain = "text/plain; charset=utf-8";

// The answer as it was before the handler, whose body and headers go.
void start_over(httplib::Response& response, const httplib::Headers& headers, int status) {
  const auto release = std::exchange(response.content_provider_resource_releaser_, nullptr);
  response.content_provider_ = nullptr;
  response.is_chunked_content_provider_ = false;
  response.content_length_ = 0;
  if (release) release(false);
  response.headers = headers;
  response.body.clear();
  response.location.clear();
  response.status = status;
}

int status_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const StoreError& e) {
    const bool later =
        e.kind() == Trouble::unavailable || e.kind() == Trouble::contention || e.kind() == Trouble::in_doubt;
    return later ? 503 : 500;
  } catch (...) {
    return 500;
  }
}

const char* plain_text(int status) {
  switch (status) {
    case 403: return "Forbidden: this request does not come from one of our own pages.\n";
    case 503: return "Service Unavailable: please try again in a few seconds.\n";
    default: return "Internal Server Error\n";
  }
}

void error_answer(const HttplibErrorPage& page, const httplib::Request& request, httplib::Response& response, int status,
                  const std::exception_ptr& error) {
  const auto headers = response.headers;
  const auto body = [&] { response.set_content(plain_text(status), plain); };
  if (page) {
    try {
      page(request, response, error);
    } catch (...) {  // the page for an error is itself in error: the plain answer says the same
      start_over(response, headers, status);
      body();
    }
  } else {
    body();
  }
  response.headers.erase("Cache-Control");
  response.set_header("Cache-Control", "no-store");
  if (status == 503) response.set_header("Retry-After", "5");
}

}  // namespace

HttplibRequest::HttplibRequest(const httplib::Request& request) {
  if (undecoded_request != &request)
    throw UsageError("sessions need a sancho::HttplibServer: a httplib::Server decodes header values, which forges cookies");
  const auto [first, last] = request.headers.equal_range("Cookie");
  for (auto line = first; line != last; ++line) cookies_.push_back(line->second);
  joined_.reserve(8);  // views into them must stay good
  request_ = {.method = request.method,
              .cookies = cookies_,
              .peer_address = request.remote_addr,
              .https = false,
              .host = header(request, "Host"),
              .origin = header(request, "Origin"),
              .referer = header(request, "Referer"),
              .sec_fetch_site = header(request, "Sec-Fetch-Site"),
              .user_agent = header(request, "User-Agent"),
              .x_forwarded_for = header(request, "X-Forwarded-For"),
              .x_forwarded_proto = header(request, "X-Forwarded-Proto"),
              .forwarded = header(request, "Forwarded")};
}

// Several lines of one name are one list (RFC 9110, section 5.3).
std::string_view HttplibRequest::header(const httplib::Request& request, const char* name) {
  const auto [first, last] = request.headers.equal_range(name);
  if (first == last) return {};
  if (std::next(first) == last) return first->second;
  std::string list = first->second;
  for (auto line = std::next(first); line != last; ++line) list += ", " + line->second;
  return joined_.emplace_back(std::move(list));
}

void add_lines(httplib::Response& response, const HeaderLines& lines) {
  bool cookie = false;
  for (const auto& [name, value] : lines) {
    cookie = cookie || name == "Set-Cookie";
    if (name != "Cache-Control" && name != "Vary") response.headers.emplace(name, value);
  }
  if (!cookie) return;
  // A handler that lets its page be cached did not reckon with the cookie.
  response.headers.erase("Cache-Control");
  response.set_header("Cache-Control", "no-store");
  const auto [first, last] = response.headers.equal_range("Vary");
  if (std::none_of(first, last, [](const auto& line) { return line.second == "Cookie"; }))
    response.set_header("Vary", "Cookie");
}

void answer(SessionManagerBase& manager, const HttplibErrorPage& page, const httplib::Request& request,
            httplib::Response& response, const std::function<void(const Request&, HeaderLines& lines)>& exchange) {
  const auto headers = response.headers;
  const auto fail = [&](int status, const std::exception_ptr& error) {
    start_over(response, headers, status);
    error_answer(page, request, response, status, error);
  };
  HeaderLines lines;
  try {
    const HttplibRequest wanted(request);
    if (manager.origin_allowed(wanted)) exchange(wanted, lines);
    else fail(403, nullptr);
  } catch (const UsageError&) {
    // The program is wrong, and whoever writes it should see how: cpp-httplib
    // tells, or the exception handler that was set there.
    start_over(response, headers, 500);
    add_lines(response, lines);
    throw;
  } catch (...) {
    const auto error = std::current_exception();
    fail(status_of(error), error);
  }
  add_lines(response, lines);
}

}  // namespace sancho::detail
