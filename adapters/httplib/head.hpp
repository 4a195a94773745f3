// # The head of a request, as it came
//
// cpp-httplib 0.11 percent-decodes header values while it reads them. What it
// read is read again here, from the bytes themselves.
#pragma once

#include <httplib.h>

#include <string_view>

namespace sancho {

// The headers of a head: a request line and header lines, each ended by CRLF.
// Values are as they came, without the blanks around them. Passed over: lines
// that end in a bare LF (cpp-httplib does not see them either), that continue
// another one, whose name is no token, or that state what cpp-httplib states
// itself (`REMOTE_ADDR` and the like). Lines of one name keep their order.
httplib::Headers undecoded_headers(std::string_view head);

// Is every line of the head a header that we and everybody else understand the
// same? If not, nobody can tell where its body ends.
bool is_clean(std::string_view head);

// How many bytes of body follow the head; nothing if only the sender knows.
struct BodySize {
  bool certain = true;
  std::size_t bytes = 0;
};
BodySize body_size(const httplib::Headers& headers);

}  // namespace sancho
