// # A response that waits
//
// What a handler fills in where the framework has no response of its own, or
// only one that leaves at once: nothing of it is sent before the session is
// saved.
//
//     void home(ShopSession& session, const sancho::CgiRequest&, sancho::Response& response) {
//       response.set("Content-Language", "es");
//       response.text(page(session), "text/html; charset=utf-8");
//     }
//
// It belongs to one request and one thread.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/http.hpp"

namespace sancho SANCHO_EXPORT {

struct Answer;

class Response {
 public:
  int status = 200;
  std::string body{};

  // In place of the body, for what is long or comes slowly: called when all is
  // saved, with a function that sends a piece and says whether somebody still
  // listens. By then the session is closed: copy what is needed of it. What it
  // throws ends the answer where it is.
  using Send = std::function<bool(std::string_view piece)>;
  std::function<void(const Send& send)> stream{};

  // One line more; and instead of all of that name. Names are compared without
  // regard to case. Throw `UsageError` for what is no header line: a name that
  // is no token (RFC 9110), a value with a control character in it; and for
  // what says where the answer ends, which the server does: `Content-Length`,
  // `Transfer-Encoding`, `Connection`.
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  const HeaderLines& lines() const { return lines_; }

  void text(std::string_view text, std::string_view type = "text/plain; charset=utf-8");
  void redirect(std::string_view location, int how = 303);

  // As `put_lines` wants a head.
  void replace(const std::string& name, const std::string& value) { set(name, value); }
  bool has(const std::string& name, const std::string& value) const;

 private:
  HeaderLines lines_;
};

// What a page for something that went wrong is made from: `status` is set, 403
// for a request that came from a foreign page and 415 for one that brings no
// JSON where it must (then there is no error), 503 for a store that is down,
// 500 for the rest. If it throws, the plain answer is sent.
using ErrorPage = std::function<void(Response&, std::exception_ptr error)>;

// Puts what came of an exchange into the response: where it failed, a page that
// says so in place of the handler's; and the session's lines.
void put_answer(const Answer& answer, Response& response, const ErrorPage& page = {});

// What stands behind a status on its line, `See Other`; empty for one that is
// seldom seen.
std::string_view reason(int status);

}  // namespace sancho
