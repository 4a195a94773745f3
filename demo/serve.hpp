// # Serving, until told to stop
#pragma once

#include "arguments.hpp"
#include "sancho/policy.hpp"

namespace demo {

// The shop's policy: a plain cookie on loopback, or `__Host-Http-sid` behind a
// proxy.
sancho::Policy policy(const Arguments& arguments);

// Serves until SIGINT or SIGTERM, then finishes the requests in progress. What
// it gives is the program's exit status. Throws what opening the store throws.
int serve(const Arguments& arguments);

}  // namespace demo
