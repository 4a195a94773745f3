// # Tokens for forms
//
// A session (or a pre-session) has one secret of 32 bytes for its forms, which
// never leaves the server. What a page carries is derived from it for one form
// and masked anew each time it is rendered, so that neither another form's
// token nor the length of a compressed page (BREACH) tells anything:
//
//     page << sancho::mask_csrf_token(secret, "transfer", random);   // in the form
//     if (!sancho::check_csrf_token(secret, "transfer", field)) return 403;
//
// The token is good for as long as the secret is. A token that works once is
// another thing: a session's form tokens.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/origin_guard.hpp"
#include "sancho/random.hpp"

namespace sancho SANCHO_EXPORT {

using CsrfSecret = std::array<std::byte, 32>;

// The length of every masked token.
inline constexpr std::size_t csrf_token_size = 87;

// base64url(1 ‖ mask ‖ mask ⊕ HMAC-SHA256(secret, "form" ‖ length ‖ form_id)),
// the mask being 32 fresh random bytes and the length that of `form_id` in
// eight bytes, big endian. Throws `RandomError`.
std::string mask_csrf_token(std::span<const std::byte, 32> secret, std::string_view form_id, RandomSource& random);

// Whether `text` was made by the function above from the same secret for the
// same form: exactly 87 characters of canonical base64url, compared in
// constant time. Throws nothing; a missing field is simply not a token.
bool check_csrf_token(std::span<const std::byte, 32> secret, std::string_view form_id, std::string_view text) noexcept;

// For an API that answers to JSON alone: whether a `Content-Type` header says
// `application/json` or `application/*+json`. A page on another site cannot
// send those without asking first (CORS preflight), so an API that refuses the
// rest (415) and answers no preflight needs no token. A missing header is no.
bool json_only(std::string_view content_type) noexcept;

}  // namespace sancho
