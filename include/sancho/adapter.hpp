// # For those who write adapters
//
// An adapter turns a framework's request into ours and puts what comes back
// into the framework's response. What all of them have to do alike is here, so
// that an adapter is what differs:
//
//     sancho::RequestHead head(manager.policy(), request.method, request.peer);
//     for (const auto& [name, value] : request.headers) head.add(name, value);
//
//     const sancho::Answer answer = sancho::exchange(
//         manager, head.request(), [&](sancho::RequestScope<ShopSession>& scope) { handler(*scope, request, response); });
//     if (answer.failed()) response = plain_response(answer.status, sancho::plain_text(answer.status));
//     sancho::put_lines(answer, HeadOf(response));
//
// What an adapter has to see to itself: that the bytes of header values come as
// they were sent, each `Cookie` line by itself; that it hands over the address
// of the socket's other end and not one that a header claims; and that the
// first byte of the response leaves after `exchange` has returned.
#pragma once

#include <concepts>
#include <exception>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/http.hpp"
#include "sancho/manager.hpp"

namespace sancho SANCHO_EXPORT {

// A `Request`, collected from a request's header lines in their order. Several
// lines of one name are one list (RFC 9110, section 5.3), but each `Cookie` line
// stays as it is, and so does each that is to carry an id. Names are compared without regard to case; most are passed
// over. All views must live as long as this object does, which stays where it
// was made.
class RequestHead {
 public:
  // The address is that of the socket's other end; empty, if there is none.
  // The policy says which header carries the id, if one does; it is the
  // manager's, and outlives this object.
  RequestHead(const Policy& policy, std::string_view method, std::string_view peer_address, bool https = false);
  RequestHead(const Policy&&, std::string_view, std::string_view, bool = false) = delete;
  RequestHead(const RequestHead&) = delete;
  RequestHead& operator=(const RequestHead&) = delete;

  // One header line: its name, and its value as it came over the wire.
  void add(std::string_view name, std::string_view value);

  // Good until the next `add`.
  const Request& request();

 private:
  // Lines that stay as they came. One is what nearly every request has, and
  // costs no allocation.
  struct Lines {
    std::string_view first{};
    std::vector<std::string_view> all{};  // where there are several
    void add(std::string_view value);
    std::span<const std::string_view> get() const;
  };
  void join(std::string_view& field, std::string_view value);

  Request request_;
  std::string_view id_header_;
  Lines cookies_, ids_;
  std::list<std::string> joined_;  // lists of more than one line
};

// What came of a request.
struct Answer {
  // For the response, whatever became of it: also a failed one may have a
  // logout's cookie.
  HeaderLines lines{};
  // 0: the handler's response stands. Else it goes, with whatever headers the
  // handler set, and this is the status of the one in its place:
  //   400 - its head can be read in two ways (of adapters that look at it)
  //   403 - the request came from a foreign page; the handler has not run
  //   415 - it brought no JSON to an API that wants nothing else; likewise
  //   503 - the store is down, or was too busy: nobody is logged out (promise P8)
  //   500 - the handler threw, or a session could not be saved
  int status = 0;
  // What was thrown; none with 400, 403 and 415.
  std::exception_ptr error{};

  bool failed() const { return status != 0; }
  // The program broke a rule (`UsageError`): whoever writes it should see how.
  // A framework that shows or logs what handlers throw is best shown `error`.
  bool broke_a_rule() const;
};

// 503 for what may be better in a moment, 500 for everything else.
int status_of(const std::exception_ptr& error);

// One sentence in plain text and English, for a response without a page of its
// own: to be sent as `text/plain; charset=utf-8`.
std::string_view plain_text(int status);

// The answer's lines once more, with what a failed one needs: nobody may keep
// it, and with 503 when to come again.
HeaderLines lines_of(const Answer& answer);

// A response's head, as `put_lines` changes it. Names are compared without
// regard to case.
template <class H>
concept ResponseHead = requires(H& head, const std::string& text) {
  head.add(text, text);                                  // one line more
  head.replace(text, text);                              // instead of all lines of this name
  { head.has(text, text) } -> std::convertible_to<bool>;  // is there a line with exactly this value?
};

// Puts the lines into a response. One that is one visitor's is kept in no
// cache, whatever the handler has said of its page: it did not reckon with that.
template <ResponseHead H>
void put_lines(const Answer& answer, H&& head) {
  if (!answer.failed() && answer.lines.empty()) return;  // as most are
  const std::string caching = "Cache-Control", vary = "Vary";
  for (const auto& [name, value] : lines_of(answer)) {
    if (name == caching) head.replace(name, value);
    else if (name != vary || !head.has(name, value)) head.add(name, value);
  }
}

// Runs `handler` with a scope for this request, and saves its session. Throws
// nothing: what is thrown is in the answer. The manager's guards are asked
// first. When it returns, everything is decided and saved, so that the response
// may leave.
template <class S, class Handler>
  requires std::invocable<Handler&, RequestScope<S>&>
Answer exchange(SessionManager<S>& manager, const Request& request, Handler&& handler) {
  Answer answer;
  try {
    if (const int status = manager.refusal(request); status != 0) return {.status = status};
    RequestScope<S> scope(manager, request);
    try {
      handler(scope);
      answer.lines = scope.finish();
    } catch (...) {
      answer.lines = scope.abort();
      throw;
    }
  } catch (...) {
    answer.error = std::current_exception();
    answer.status = status_of(answer.error);
  }
  return answer;
}

// Calls a handler that takes the session itself, or the whole scope, with
// whatever else the framework's handlers take.
template <class S, class Handler, class... Args>
  requires std::invocable<Handler&, S&, Args...> || std::invocable<Handler&, RequestScope<S>&, Args...>
decltype(auto) call_handler(Handler& handler, RequestScope<S>& scope, Args&&... args) {
  if constexpr (std::invocable<Handler&, S&, Args...>) return handler(*scope, std::forward<Args>(args)...);
  else return handler(scope, std::forward<Args>(args)...);
}

// What `call_handler` can call.
template <class Handler, class S, class... Args>
concept SessionHandler = std::invocable<Handler&, S&, Args...> || std::invocable<Handler&, RequestScope<S>&, Args...>;

}  // namespace sancho
