// CGI without a web server: variables in, bytes out.
#include <gmock/gmock.h>

#include "sancho/adapters/cgi.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Variables {
 public:
  Variables(std::initializer_list<const char*> list) : list_(list) { list_.push_back(nullptr); }
  operator const char* const*() const { return list_.data(); }

 private:
  std::vector<const char*> list_;
};

struct Collected {
  CgiRequest request;
  RequestHead head;
  Collected(const char* const* variables, const Policy& policy = {})
      : request(variables, ""), head(policy, request.method(), "", detail::cgi_https(request)) {
    detail::collect(request, head);
  }
};

TEST(CgiRequestTest, EveryVariableOfANameIsALine) {
  const Variables v{"HTTP_COOKIE=a=%3B1", "REQUEST_METHOD=GET", "HTTP_COOKIE=sid=2; b=3", "HTTP_X_FORWARDED_FOR=203.0.113.9", "HTTP_HOST=shop.example",
                    "CONTENT_TYPE=text/plain", "HTTP_CONTENT_TYPE=application/json", "HTTP_EMPTY", "COOKIE=sid=9"};
  Collected c(v);
  const auto& request = c.head.request();
  EXPECT_THAT(request.cookies, ElementsAre("a=%3B1", "sid=2; b=3"));
  EXPECT_EQ(request.x_forwarded_for, "203.0.113.9");
  EXPECT_EQ(request.host, "shop.example");
  EXPECT_EQ(request.content_type, "text/plain");
  EXPECT_EQ(request.method, "GET");
}

TEST(CgiRequestTest, ATransportsHeaderIsFoundAmongTheVariables) {
  const Variables v{"HTTP_SESSION_ID=abc", "HTTP_AUTHORIZATION=Bearer def"};
  EXPECT_THAT(Collected(v, {.transport = Transport::header()}).head.request().id_lines, ElementsAre("abc"));
  EXPECT_THAT(Collected(v, {.transport = Transport::bearer()}).head.request().id_lines, ElementsAre("Bearer def"));
}

TEST(CgiRequestTest, TlsIsTheServersWordAndNotAClients) {
  const auto https = [](std::initializer_list<const char*> list) {
    const Variables v(list);
    return detail::cgi_https(CgiRequest(v, ""));
  };
  EXPECT_TRUE(https({"HTTPS=on"}));
  EXPECT_TRUE(https({"HTTPS=1"}));
  EXPECT_TRUE(https({"REQUEST_SCHEME=https"}));
  EXPECT_FALSE(https({"HTTPS=off"}));
  EXPECT_FALSE(https({"HTTPS=", "HTTP_HTTPS=on", "REQUEST_SCHEME=http"}));
}

TEST(CgiRequestTest, FieldsAreThoseOfTheQueryThenOfAForm) {
  const Variables v{"QUERY_STRING=a=1&b=x%20y+z&&c&%61b=2&d=%zz%4", "CONTENT_TYPE=application/x-www-form-urlencoded; charset=utf-8"};
  const CgiRequest request(v, "a=9&e=%C3%A9&f=");
  EXPECT_EQ(request.field("a"), "1");
  EXPECT_EQ(request.field("b"), "x y z");
  EXPECT_EQ(request.field("c"), "");
  EXPECT_EQ(request.field("ab"), "2");
  EXPECT_EQ(request.field("d"), "%zz%4");
  EXPECT_EQ(request.field("e"), "\xc3\xa9");
  EXPECT_EQ(request.field("f"), "");
  EXPECT_EQ(request.field("g"), std::nullopt);
  for (const auto* type : {"CONTENT_TYPE=text/plain", "CONTENT_TYPE=application/x-www-form-urlencodedly", "CONTENT_TYPE="}) {
    const Variables other{type};
    EXPECT_EQ(CgiRequest(other, "e=1").field("e"), std::nullopt) << type;
  }
}

// What comes out, of a body that comes in pieces.
std::string served(const char* const* variables, std::string in, const CgiHandler& handler, const CgiOptions& options = {}) {
  std::string out;
  detail::serve_one(
      variables,
      [&](char* data, std::size_t size) {
        const auto n = std::min<std::size_t>({size, in.size(), 3});
        std::copy_n(in.begin(), n, data);
        in.erase(0, n);
        return n;
      },
      [&](std::string_view text) { return out += text, true; }, handler, options);
  return out;
}

const CgiHandler echo = [](const CgiRequest& request, Response& response) { response.text(request.body(), "text/plain"); };

TEST(CgiServe, TheAnswerIsAHeadAndABody) {
  const Variables v{"REQUEST_METHOD=POST", "CONTENT_LENGTH=7"};
  EXPECT_EQ(served(v, "1234567 and more", echo), "Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n1234567");
  const Variables head{"REQUEST_METHOD=HEAD"};
  EXPECT_EQ(served(head, "", echo), "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n");
  EXPECT_EQ(served(v, "1234567", [](const CgiRequest&, Response& response) { response.redirect("/home"); }),
            "Status: 303 See Other\r\nLocation: /home\r\nContent-Length: 0\r\n\r\n");
}

TEST(CgiServe, TheStatusIsWrittenOnce) {
  const Variables v{"REQUEST_METHOD=GET"};
  EXPECT_EQ(served(v, "", [](const CgiRequest&, Response& response) { response.set("STATUS", "500"), response.status = 204; }),
            "Status: 204 No Content\r\n\r\n");
}

TEST(CgiServe, ABodyThatBreaksOffReachesNoHandler) {
  const CgiHandler never = [](const CgiRequest&, Response&) { ADD_FAILURE() << "it ran"; };
  const Variables broken{"REQUEST_METHOD=POST", "CONTENT_LENGTH=7"}, no_number{"REQUEST_METHOD=POST", "CONTENT_LENGTH=7x"},
      negative{"REQUEST_METHOD=POST", "CONTENT_LENGTH=-1"}, no_method{"CONTENT_LENGTH=0"}, huge{"REQUEST_METHOD=POST", "CONTENT_LENGTH=99999999999999999999"};
  for (const char* const* v : {(const char* const*)broken, (const char* const*)no_number, (const char* const*)negative, (const char* const*)no_method,
                              (const char* const*)huge})
    EXPECT_THAT(served(v, "123456", never), HasSubstr("Status: 400 Bad Request"));
  EXPECT_THAT(served(broken, "1234567", never, {.max_body = 6}), HasSubstr("Status: 413 "));
}

TEST(CgiServe, WhatAHandlerThrowsIsAnAnswer) {
  const Variables v{"REQUEST_METHOD=GET"};
  EXPECT_THAT(served(v, "", [](const CgiRequest&, Response& response) {
                response.set("X-Half", "done");
                throw 42;
              }),
              testing::AllOf(HasSubstr("Status: 500 "), testing::Not(HasSubstr("X-Half"))));
}

TEST(CgiServe, AStreamEndsWhereNobodyListensOrItThrows) {
  const Variables v{"REQUEST_METHOD=GET"};
  const auto stream = [](int throw_at) {
    return [=](const CgiRequest&, Response& response) {
      response.stream = [=](const Response::Send& send) {
        for (int i = 0; i < 3; ++i) {
          if (i == throw_at) throw 42;
          send(std::to_string(i));
        }
      };
    };
  };
  EXPECT_EQ(served(v, "", stream(3)), "Status: 200 OK\r\n\r\n012");
  EXPECT_EQ(served(v, "", stream(1)), "Status: 200 OK\r\n\r\n0");
}

TEST(CgiSessionsTest, AnErrorPageIsAskedForAndMayItselfThrow) {
  SessionManager<> manager(open_memory_store());
  const Variables v{"REQUEST_METHOD=GET"};
  const auto fails = [](Session&, const CgiRequest&, Response&) { throw std::runtime_error("canary"); };
  const CgiSessions dressed(manager, [](Response& response, const std::exception_ptr&) { response.text("sorry " + std::to_string(response.status)); });
  EXPECT_THAT(served(v, "", dressed.wrap(fails)), testing::AllOf(HasSubstr("Status: 500 "), HasSubstr("sorry 500"), HasSubstr("Cache-Control: no-store")));
  const CgiSessions naked(manager, [](Response&, const std::exception_ptr&) { throw 1; });
  EXPECT_THAT(served(v, "", naked.wrap(fails)), testing::AllOf(HasSubstr("Internal Server Error"), testing::Not(HasSubstr("canary"))));
}

}  // namespace
}  // namespace sancho
