#include <algorithm>
#include <utility>

#include "sancho/adapters/httplib.hpp"
#include "sancho/error.hpp"
#include "undecoded.hpp"

namespace sancho::detail {

namespace {

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

void error_page(const HttplibErrorPage& page, const httplib::Request& request, httplib::Response& response,
                const httplib::Headers& headers, const Answer& answer) {
  const auto plain = [&] {
    start_over(response, headers, answer.status);
    response.set_content(std::string(plain_text(answer.status)), "text/plain; charset=utf-8");
  };
  if (!page) return plain();
  start_over(response, headers, answer.status);
  try {
    page(request, response, answer.error);
  } catch (...) {  // the page for an error is itself in error: the plain answer says the same
    plain();
  }
}

// A response's head, for `put_lines`.
struct Head {
  httplib::Response& response;
  void add(const std::string& name, const std::string& value) { response.headers.emplace(name, value); }
  void replace(const std::string& name, const std::string& value) {
    response.headers.erase(name);
    response.headers.emplace(name, value);
  }
  bool has(const std::string& name, const std::string& value) const {
    const auto [first, last] = response.headers.equal_range(name);
    return std::any_of(first, last, [&](const auto& line) { return line.second == value; });
  }
};

}  // namespace

HttplibRequest::HttplibRequest(const Policy& policy, const httplib::Request& request)
    : head_(policy, request.method, request.remote_addr) {
  if (undecoded_request != &request)
    throw UsageError("sessions need a sancho::HttplibServer: a httplib::Server decodes header values, which forges cookies");
  for (const auto& [name, value] : request.headers) head_.add(name, value);
}

void answer(const Policy& policy, const HttplibErrorPage& page, const httplib::Request& request, httplib::Response& response,
            const std::function<Answer(const Request&)>& exchange) {
  const auto headers = response.headers;
  HttplibRequest wanted(policy, request);
  const auto answer = exchange(wanted);
  // cpp-httplib tells, or the exception handler that was set there.
  if (answer.broke_a_rule()) start_over(response, headers, 500);
  else if (answer.failed()) error_page(page, request, response, headers, answer);
  put_lines(answer, Head{response});
  if (answer.broke_a_rule()) std::rethrow_exception(answer.error);
}

}  // namespace sancho::detail
