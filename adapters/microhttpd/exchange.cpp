// Requests and responses of libmicrohttpd.
#include <netdb.h>
#include <sys/socket.h>

#include "sancho/adapters/microhttpd.hpp"
#include "sancho/error.hpp"
#include "sancho/form.hpp"

namespace sancho {

namespace {

// What `MHD_get_response_headers` tells, kept.
MHD_Result keep(void* lines, MHD_ValueKind, const char* name, const char* value) {
  static_cast<HeaderLines*>(lines)->push_back({name, value ? value : ""});
  return MHD_YES;
}

// A response's head, for `put_lines`.
class Head {
 public:
  explicit Head(MHD_Response* response) : response_(response) {}

  // libmicrohttpd takes no empty value; a space is one on the other side (RFC
  // 9110, section 5.5).
  void add(const std::string& name, const std::string& value) {
    if (MHD_add_response_header(response_, name.c_str(), value.empty() ? " " : value.c_str()) != MHD_YES)
      throw UsageError("rule broken: libmicrohttpd does not take a line of the name " + name);
  }
  void replace(const std::string& name, const std::string& value) {
    for (const auto& line : lines())
      if (same_header(line.name, name)) MHD_del_response_header(response_, line.name.c_str(), line.value.c_str());
    add(name, value);
  }
  bool has(const std::string& name, const std::string& value) const {
    for (const auto& line : lines())
      if (same_header(line.name, name) && line.value == value) return true;
    return false;
  }

 private:
  HeaderLines lines() const {
    HeaderLines all;
    MHD_get_response_headers(response_, keep, &all);
    return all;
  }
  MHD_Response* response_;
};

MHD_Result collect_line(void* head, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                        std::size_t value_size) {
  static_cast<RequestHead*>(head)->add({name, name_size}, value ? std::string_view(value, value_size) : "");
  return MHD_YES;
}

MicrohttpdReply plain(int status) {
  return MicrohttpdReply::text(plain_text(status), "text/plain; charset=utf-8", static_cast<unsigned>(status));
}

}  // namespace

std::optional<std::string> MicrohttpdRequest::field(const std::string& name) const {
  if (const char* value = MHD_lookup_connection_value(connection_, MHD_GET_ARGUMENT_KIND, name.c_str())) return value;
  const char* type = MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, "Content-Type");
  return type && is_form(type) ? form_field(*body_, name) : std::nullopt;
}

MicrohttpdReply MicrohttpdReply::text(std::string_view text, std::string_view type, unsigned status) {
  // libmicrohttpd copies it; that its parameter is not const is old.
  MicrohttpdReply reply(
      MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY), status);
  if (!reply.response()) throw std::bad_alloc();
  reply.add("Content-Type", std::string(type));
  return reply;
}

MicrohttpdReply MicrohttpdReply::redirect(std::string_view location, unsigned status) {
  MicrohttpdReply reply(MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT), status);
  if (!reply.response()) throw std::bad_alloc();
  reply.add("Location", std::string(location));
  return reply;
}

void MicrohttpdReply::add(const std::string& name, const std::string& value) { Head(response_.get()).add(name, value); }

std::string detail::peer_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (!info || !info->client_addr) return {};
  const auto* address = info->client_addr;
  const socklen_t size = address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  char host[NI_MAXHOST];
  return ::getnameinfo(address, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) == 0 ? host : std::string();
}

bool detail::is_tls(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return info && info->tls_session;
}

void detail::collect(MHD_Connection* connection, RequestHead& head) {
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_line, &head);
}

MicrohttpdReply detail::finish(const Answer& answer, std::optional<MicrohttpdReply> reply,
                               const MicrohttpdErrorPage& page) {
  if (answer.failed()) {
    reply.reset();
    try {
      if (page) reply.emplace(page(static_cast<unsigned>(answer.status), answer.error));
    } catch (...) {  // the page for an error is itself in error: the plain answer says the same
    }
    if (!reply || !reply->response()) reply.emplace(plain(answer.status));
  }
  put_lines(answer, Head(reply->response()));
  return std::move(*reply);
}

}  // namespace sancho
