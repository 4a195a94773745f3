// # HTML
//
// Text becomes HTML in one place: whatever is not markup of ours goes through
// `escape`.
#pragma once

#include <string>
#include <string_view>

namespace demo {

// Good inside elements and inside quoted attributes.
std::string escape(std::string_view text);

// `<input type="hidden" …>`
std::string hidden(std::string_view name, std::string_view value);

// A form that posts, with its hidden token.
std::string form(std::string_view action, std::string_view csrf, std::string_view inside, std::string_view classes = {});

}  // namespace demo
