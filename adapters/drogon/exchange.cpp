#include <string>
#include <string_view>

#include "parts.hpp"
#include "sancho/adapters/drogon.hpp"
#include "sancho/error.hpp"

namespace sancho::detail {

namespace {

bool lists(std::string_view list, std::string_view value) {
  while (!list.empty()) {
    auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    while (element.starts_with(' ')) element.remove_prefix(1);
    if (same_header(element, value)) return true;
  }
  return false;
}

// A response's head, for `put_lines`. Drogon's has one line of each name, and
// its cookies beside, whose text is sent as it is.
struct Head {
  drogon::HttpResponse& response;

  void add(const std::string& name, const std::string& value) {
    if (same_header(name, "Set-Cookie")) return add_cookie(value);
    const std::string before = response.getHeader(name);
    response.addHeader(name, same_header(name, "Vary") && !before.empty() ? before + ", " + value : value);
  }
  void replace(const std::string& name, const std::string& value) { response.addHeader(name, value); }
  bool has(const std::string& name, const std::string& value) const { return lists(response.getHeader(name), value); }

 private:
  void add_cookie(const std::string& line) {
    const auto equals = line.find('=');
    drogon::Cookie cookie(line.substr(0, equals), line.substr(equals + 1));
    cookie.setHttpOnly(false);  // the line says what there is to say
    response.addCookie(std::move(cookie));
  }
};

drogon::HttpResponsePtr plain(std::string_view text) {
  auto response = drogon::HttpResponse::newHttpResponse();
  response->setContentTypeString("text/plain; charset=utf-8");
  response->setBody(std::string(text));
  return response;
}

drogon::HttpResponsePtr error_response(const DrogonErrorPage& page, const drogon::HttpRequestPtr& request,
                                       const Answer& answer, std::string_view text) {
  drogon::HttpResponsePtr response;
  if (page && !answer.broke_a_rule()) try {
      response = page(request, answer.status, answer.error);
      if (response) check_drogon_response(response);
    } catch (...) {  // the page for an error is itself in error: the plain answer says the same
      response = nullptr;
    }
  if (!response) response = plain(text.empty() ? plain_text(answer.status) : text);
  response->setStatusCode(static_cast<drogon::HttpStatusCode>(answer.status));
  return response;
}

// Whoever writes the program should see how it broke a rule.
void tell(const Answer& answer) {
  if (!answer.broke_a_rule()) return;
  try {
    std::rethrow_exception(answer.error);
  } catch (const std::exception& error) {
    LOG_ERROR << error.what();
  }
}

}  // namespace

DrogonRequest::DrogonRequest(const Policy& policy, const drogon::HttpRequestPtr& request)
    : wire_(drogon_head(request)),
      peer_(request->peerAddr().toIp()),
      head_(policy, wire_->method, peer_, request->isOnSecureConnection()) {
  for (const auto& [name, value] : wire_->lines) head_.add(name, value);
}

void on_drogon_loop(trantor::EventLoop* loop, std::function<void()> what) {
  if (!loop) return what();
  if (drogon::app().isRunning()) loop->queueInLoop(std::move(what));
}

void check_drogon_response(const drogon::HttpResponsePtr& response) {
  if (!response) throw UsageError("rule broken: a handler returned no response");
  if (response.use_count() > 1)
    throw UsageError("rule broken: a response that somebody else holds would carry one visitor's cookie to another");
}

drogon::HttpResponsePtr drogon_response(const DrogonErrorPage& page, const drogon::HttpRequestPtr& request,
                                        drogon::HttpResponsePtr response, const Answer& answer, std::string_view text) {
  if (answer.failed()) {
    tell(answer);
    response = error_response(page, request, answer, text);
  }
  response->setExpiredTime(-1);  // else Drogon would send it to others too
  put_lines(answer, Head{*response});
  return response;
}

void put_drogon_lines(const Answer& answer, drogon::HttpResponse& response) { put_lines(answer, Head{response}); }

drogon::HttpResponsePtr drogon_answer(const Policy& policy, const DrogonErrorPage& page,
                                      const drogon::HttpRequestPtr& request, drogon::HttpResponsePtr& response,
                                      const std::function<Answer(const Request&)>& exchange) {
  Answer answer;
  try {
    answer = exchange(DrogonRequest(policy, request).get());
  } catch (...) {
    answer = {.status = 500, .error = std::current_exception()};
  }
  return drogon_response(page, request, std::move(response), answer);
}

}  // namespace sancho::detail
