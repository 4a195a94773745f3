// # How the shop answers
#pragma once

#include <httplib.h>

#include <exception>
#include <string>
#include <string_view>

#include "session.hpp"

namespace demo {

// A page. Kept in no cache: the back button shows nobody's cart after a logout.
void show(httplib::Response& res, const std::string& page, int status = 200);
// "See there", with GET.
void go_to(httplib::Response& res, std::string_view address);

// Does the request carry the session's token for the form that posts here? If
// not, it is answered with 403, and must change nothing.
bool is_ours(ShopSession& session, const httplib::Request& req, httplib::Response& res);

// A whole number between these, or `otherwise`.
int number(const std::string& text, int least, int most, int otherwise);

// For `HttplibSessions`: what went wrong, in the shop's own clothes.
void show_trouble(const httplib::Request& req, httplib::Response& res, std::exception_ptr error);

}  // namespace demo
