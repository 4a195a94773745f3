#include "layout.hpp"

#include <fmt/format.h>

#include <functional>

#include "html.hpp"

namespace demo {

namespace {

std::string navigation(ShopSession& session) {
  std::string links = R"(<li><a href="/">Shop</a></li>)";
  const int pieces = session.pieces();
  links += fmt::format(R"(<li><a href="/cart">Cart <span class="count">{}<span class="for-readers"> pieces</span></span></a></li>)", pieces);
  const auto customer = session.customer();
  if (!customer) return links + R"(<li><a class="button quiet" href="/login">Log in</a></li>)";
  return links + R"(<li><a href="/orders">Orders</a></li><li><a href="/devices">Devices</a></li>)" +
         fmt::format(R"(<li class="who">{}</li><li>{}</li>)", escape(customer->full_name),
                     form("/logout", session.csrf_token("/logout"), R"(<button class="quiet">Log out</button>)"));
}

std::string messages(ShopSession& session) {
  std::string out;
  for (const auto& text : session.take_flashes()) out += fmt::format(R"(<p class="message">{}</p>)", escape(text));
  return out.empty() ? out : fmt::format(R"(<div role="status" class="messages">{}</div>)", out);
}

}  // namespace

const std::string& style_address() {
  static const std::string address = fmt::format("/style.css?v={:x}", std::hash<std::string_view>()(style_sheet));
  return address;
}

std::string problem_text(std::string_view problem) {
  return problem.empty() ? std::string() : fmt::format(R"(<p class="problem" role="alert">{}</p>)", escape(problem));
}

std::string page(ShopSession* session, std::string_view title, std::string_view body) {
  return fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0} – Panza’s Provisions</title>
<link rel="stylesheet" href="{1}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="/">Panza’s <span>Provisions</span></a>
<nav aria-label="Main"><ul>{2}</ul></nav>
</header>
<main id="content" tabindex="-1">
{3}
{4}
</main>
<footer><p>A demonstration of the Sancho session library. Nothing here can be bought, and nothing is delivered.</p></footer>
</body>
</html>
)",
                     escape(title), style_address(), session ? navigation(*session) : R"(<li><a href="/">Shop</a></li>)",
                     session ? messages(*session) : std::string(), body);
}

}  // namespace demo
