// # What all pages have in common
#pragma once

#include <string>
#include <string_view>

#include "session.hpp"

namespace demo {

// The style sheet, and an address that changes with it.
extern const std::string_view style_sheet;
const std::string& style_address();

// A whole page around `body`, with the navigation of this session and the
// messages that wait for it. Null: for nobody in particular.
std::string page(ShopSession* session, std::string_view title, std::string_view body);

// A paragraph that says what was wrong; nothing for nothing.
std::string problem_text(std::string_view problem);

}  // namespace demo
