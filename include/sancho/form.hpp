// # Fields of a form
//
// For servers that do not read forms themselves:
//
//     const auto name = sancho::form_field(body, "name").value_or("");
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// The field of that name among fields as a query has them, and a body that is
// `application/x-www-form-urlencoded`: decoded, the first of several; nothing if
// there is none. A `%` that begins no byte stays as it is.
std::optional<std::string> form_field(std::string_view fields, std::string_view name);

// Whether a `Content-Type` says that the body is such a form.
bool is_form(std::string_view content_type) noexcept;

}  // namespace sancho
