// # The request at hand
#pragma once

#include <httplib.h>

namespace sancho {

// The request that this thread is serving, if its header values are as they
// came; null outside, and on servers that decode them. An address and not a
// mark in the request, because whatever stands in there a client could send.
inline thread_local const httplib::Request* undecoded_request = nullptr;

}  // namespace sancho
