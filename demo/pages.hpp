// # The pages
//
// Each function makes one page, whole. They read the session and what they are
// given, and change nothing but what a page itself uses up: messages that are
// shown once, and tokens made for its forms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue.hpp"
#include "sancho/manager.hpp"
#include "session.hpp"

namespace demo {

std::string shop_page(ShopSession& session);
std::string product_page(ShopSession& session, const Product& product);
std::string cart_page(ShopSession& session);

// `next` is where to go after it; `problem` is what was wrong with the last try.
std::string login_page(ShopSession& session, std::string_view next, std::string_view name = {}, std::string_view problem = {});
std::string goodbye_page();

// `form_token` is the right to submit it once.
std::string order_page(ShopSession& session, std::string_view form_token, std::string_view address = {},
                       std::string_view problem = {});
std::string ordered_before_page(ShopSession& session);
std::string orders_page(ShopSession& session);

// "Where am I logged in"
std::string devices_page(ShopSession& session, const std::vector<sancho::SessionInfo>& sessions, sancho::Time now);

// For something that went wrong, of which no session is needed to tell.
std::string trouble_page(std::string_view title, std::string_view text);

}  // namespace demo
