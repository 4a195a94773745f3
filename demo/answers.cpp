#include "answers.hpp"

#include <charconv>

#include "pages.hpp"

namespace demo {

void show(httplib::Response& res, const std::string& page, int status) {
  res.status = status;
  res.headers.erase("Cache-Control");
  res.set_header("Cache-Control", "no-store");
  res.set_content(page, "text/html; charset=utf-8");
}

void go_to(httplib::Response& res, std::string_view address) { res.set_redirect(std::string(address), 303); }

bool is_ours(ShopSession& session, const httplib::Request& req, httplib::Response& res) {
  if (session.check_csrf_token(req.get_param_value("csrf"), req.path)) return true;
  show(res, trouble_page("This form is too old", "You may have logged in or out since it was shown. Please go back, reload, and try again."), 403);
  return false;
}

int number(const std::string& text, int least, int most, int otherwise) {
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() && n >= least && n <= most ? n : otherwise;
}

void show_trouble(const httplib::Request&, httplib::Response& res, std::exception_ptr) {
  switch (res.status) {
    case 403: return show(res, trouble_page("That came from elsewhere", "Another site sent this request in your name, so nothing was done."), 403);
    case 503: return show(res, trouble_page("One moment, please", "We cannot reach our memory right now. You are still logged in; try again in a few seconds."), 503);
    default: return show(res, trouble_page("Something went wrong", "It is our fault, and nothing was changed."), res.status);
  }
}

}  // namespace demo
