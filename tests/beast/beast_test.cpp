// What becomes of the responses that handlers give, and of requests' peers.
#include "sancho/adapters/beast.hpp"

#include <gtest/gtest.h>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/file_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Request = http::request<http::string_body>;
using Text = http::response<http::string_body>;
using Empty = http::response<http::empty_body>;

// What would be written.
std::string sent(http::message_generator message) {
  std::string all;
  boost::system::error_code error;
  while (!message.is_done()) {
    const auto buffers = message.prepare(error);
    EXPECT_FALSE(error) << error.message();
    if (error) break;
    all += boost::beast::buffers_to_string(buffers);
    message.consume(boost::beast::buffer_bytes(buffers));
  }
  return all;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Beast : testing::Test {
  SessionManager<Session> manager{open_memory_store()};
  BeastSessions<Session> sessions{manager};
  const BeastPeer peer{"127.0.0.1"};

  // A handler that gives this, and writes a session that must not be kept if it
  // cannot be sent.
  template <class Response>
  static auto gives(Response response) {
    return [response](Session& session, const Request&) mutable {
      session.set("x", 1);
      return std::move(response);
    };
  }
  static Request get(unsigned version = 11, http::verb method = http::verb::get) {
    Request request(method, "/", version);
    request.set(http::field::host, "shop.example");
    return request;
  }
  std::size_t stored() { return manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))); }
};

TEST_F(Beast, AResponseThatCannotBeSentIsAHandlersErrorAndSavesNothing) {
  using namespace std::string_literals;
  for (const auto& value : {"/a\r\nSet-Cookie: x=y"s, "/a\nb"s, "/a\0b"s, "/a\x7f"s}) {
    Empty redirect(http::status::see_other, 11);
    redirect.set(http::field::location, value);
    const auto answer = sent(sessions.serve(get(), peer, gives(redirect)));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
    EXPECT_FALSE(has(answer, "Set-Cookie"));
  }
  Empty named(http::status::ok, 11);
  named.set("X: y\r\nSet-Cookie", "x=y");
  EXPECT_TRUE(sent(sessions.serve(get(), peer, gives(named))).starts_with("HTTP/1.1 500 "));
  Empty reason(http::status::ok, 11);
  reason.reason("OK\r\nSet-Cookie: x=y");
  EXPECT_TRUE(sent(sessions.serve(get(), peer, gives(reason))).starts_with("HTTP/1.1 500 "));
  const Text body_that_must_not_be(http::status::no_content, 11, "text");
  EXPECT_TRUE(sent(sessions.serve(get(), peer, gives(body_that_must_not_be))).starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(stored(), 0u);
}

// As Beast reads it; nothing where it does not take it.
std::optional<Request> read(const std::string& text) {
  http::request_parser<http::string_body> parser;
  boost::system::error_code error;
  parser.eager(true);
  parser.put(asio::buffer(text), error);
  if (error || !parser.is_done()) return std::nullopt;
  return parser.release();
}

TEST_F(Beast, ARequestThatIsReadInTwoWaysReachesNoHandlerAndIsTheLast) {
  const std::string host = "Host: shop.example\r\n", one = "Content-Length: 1\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n", chunk = "1\r\nx\r\n0\r\n\r\n";
  const auto serve = [&](const Request& request, int& ran) {
    return sent(sessions.serve(request, peer, [&ran](Session&, const Request&) {
      ++ran;
      return Text(http::status::ok, 11);
    }));
  };
  int ran = 0, taken = 0;
  for (const auto& text : std::vector<std::string>{
           "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n" + host + host + "\r\n",
           "GET / HTTP/1.0\r\n" + host + host + "\r\n", "GET / HTTP/1.1\r\n" + host + one + one + "\r\nx",
           "GET / HTTP/1.0\r\nConnection: keep-alive\r\n" + chunked + "\r\n" + chunk,
           "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk,
           "GET / HTTP/1.1\r\n" + host + chunked + chunked + "\r\n" + chunk,
           "GET / HTTP/1.1\r\n" + host + chunked + one + "\r\n" + chunk,
           "GET / HTTP/1.1\r\n" + host + chunked + "\r\n0\r\n" + host + "\r\n",
           "GET / HTTP/1.1\r\n" + host + chunked + "\r\n0\r\n" + one + "\r\n"}) {
    auto request = read(text);
    if (!request) continue;  // Beast refuses it itself
    ++taken;
    const auto answer = serve(*request, ran);
    EXPECT_NE(answer.find(" 400 Bad Request\r\n"), std::string::npos) << text << answer;
    EXPECT_FALSE(has(answer, "keep-alive") || has(answer, "Set-Cookie"));
    EXPECT_TRUE(request->version() < 11 || has(answer, "\r\nConnection: close\r\n")) << answer;
    EXPECT_FALSE(sessions.serve(*request, peer, gives(Text(http::status::ok, 11))).keep_alive());
    auto opening = sessions.handshake(*request, peer, [&](Session&, const Request&) { return ++ran, true; });
    ASSERT_TRUE(opening.refusal);
    EXPECT_NE(sent(std::move(*opening.refusal)).find(" 400 "), std::string::npos);
    const auto headed = sessions.serve_head(*request, peer, gives(Empty(http::status::ok, 11)));
    EXPECT_TRUE(std::holds_alternative<http::message_generator>(headed));
  }
  EXPECT_GE(taken, 7);
  for (const std::string value : {"+1", "1, 1", "0x1", "", "-1"}) {
    auto request = get();
    request.insert(http::field::content_length, value);
    EXPECT_TRUE(serve(request, ran).starts_with("HTTP/1.1 400 ")) << value;
  }
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(stored(), 0u);
  for (const auto& text :
       std::vector<std::string>{"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n" + host + one + "\r\nx",
                                "GET / HTTP/1.1\r\n" + host + "transfer-encoding: Chunked\r\n\r\n" + chunk}) {
    const auto request = read(text);
    ASSERT_TRUE(request) << text;
    EXPECT_NE(serve(*request, ran).find(" 200 OK"), std::string::npos) << text;
  }
  EXPECT_EQ(ran, 3);
}

TEST_F(Beast, WhatStandsBehindTheChunksIsNotTakenForAProxys) {
  for (const std::string name : {"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"}) {
    const auto line = name + ": x\r\n", head = "GET / HTTP/1.1\r\nHost: shop.example\r\n" + line;
    const auto status = [&](const std::string& text) {
      return sent(sessions.serve(read(text).value(), peer, gives(Text(http::status::ok, 11)))).substr(9, 3);
    };
    const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(status(head + chunked + "0\r\n" + line + "\r\n"), "400");
    EXPECT_EQ(status(head + chunked + "0\r\n\r\n"), "200");
    EXPECT_EQ(status(head + line + "\r\n"), "200") << "without chunks nothing stands behind them";
  }
}

TEST_F(Beast, LengthVersionAndConnectionAreThoseOfTheRequest) {
  const Text text(http::status::ok, 11, "text");
  const auto answer = sent(sessions.serve(get(), peer, gives(text)));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(has(answer, "\r\nContent-Length: 4\r\n") && answer.ends_with("\r\n\r\ntext")) << answer;

  auto last = get();
  last.keep_alive(false);
  EXPECT_FALSE(sessions.serve(last, peer, gives(text)).keep_alive());
  EXPECT_TRUE(sessions.serve(get(), peer, gives(text)).keep_alive());
  auto closing = text;
  closing.keep_alive(false);
  EXPECT_TRUE(has(sent(sessions.serve(get(), peer, gives(closing))), "\r\nConnection: close\r\n"));

  EXPECT_TRUE(sent(sessions.serve(get(10), peer, gives(text))).starts_with("HTTP/1.0 200 OK\r\n"));
  EXPECT_FALSE(sessions.serve(get(10), peer, gives(text)).keep_alive());
  auto old_and_kept = get(10);
  old_and_kept.keep_alive(true);
  EXPECT_TRUE(has(sent(sessions.serve(old_and_kept, peer, gives(text))), "\r\nConnection: keep-alive\r\n"));
  auto chunked = text;
  chunked.chunked(true);
  const auto old = sent(sessions.serve(old_and_kept, peer, gives(chunked)));
  EXPECT_FALSE(has(old, "hunked") || has(old, "keep-alive")) << old;
}

TEST_F(Beast, AnAnswerToAHeadHasNoBodyAndOneWithoutABodyNoLength) {
  auto chunked = Text(http::status::ok, 11, "text");
  chunked.chunked(true);
  for (const auto& text : {Text(http::status::ok, 11, "text"), chunked}) {
    const auto answer = sent(sessions.serve(get(11, http::verb::head), peer, gives(text)));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n")) << answer;
    EXPECT_EQ(answer.find("\r\n\r\n"), answer.size() - 4);
    EXPECT_TRUE(has(answer, "Set-Cookie"));
  }
  const Empty nothing(http::status::no_content, 11);
  EXPECT_FALSE(has(sent(sessions.serve(get(), peer, gives(nothing))), "Content-Length"));
}

TEST_F(Beast, AHeadWhoseBodyTheCallerSendsIsChunkedUnlessItsLengthIsKnown) {
  const auto head_of = [&](Empty response, Request request) {
    return std::get<Empty>(sessions.serve_head(request, peer, gives(std::move(response))));
  };
  const Empty ok(http::status::ok, 11);
  EXPECT_TRUE(head_of(ok, get()).chunked());
  EXPECT_TRUE(head_of(ok, get()).count("Set-Cookie"));
  auto known = ok;
  known.content_length(7);
  EXPECT_EQ(head_of(known, get())[http::field::content_length], "7");
  const auto old = head_of(ok, get(10));
  EXPECT_FALSE(old.chunked() || old.keep_alive());

  const auto complete = [](auto answer) { return std::holds_alternative<http::message_generator>(answer); };
  EXPECT_TRUE(complete(sessions.serve_head(get(11, http::verb::head), peer, gives(ok))));
  EXPECT_TRUE(complete(sessions.serve_head(get(), peer, gives(Empty(http::status::not_modified, 11)))));
  auto foreign = get(11, http::verb::post);
  EXPECT_TRUE(complete(sessions.serve_head(foreign, peer, gives(ok))));
}

TEST_F(Beast, FilesAreSentToo) {
  const auto give_file = [](Session&, const Request&) {
    http::response<http::file_body> file(http::status::ok, 11);
    boost::system::error_code error;
    file.body().open(SOURCE_FILE, boost::beast::file_mode::scan, error);
    EXPECT_FALSE(error);
    return file;
  };
  EXPECT_TRUE(sent(sessions.serve(get(), peer, give_file)).ends_with("// the end\n"));
  EXPECT_TRUE(sent(sessions.serve(get(11, http::verb::head), peer, give_file)).ends_with("\r\n\r\n"));
}

TEST_F(Beast, APageForAnErrorIsSentAndAPlainOneWhereItIsInErrorItself) {
  const auto fails = [](Session&, const Request&) -> Text { throw std::runtime_error("no"); };
  const BeastSessions<Session> kind(manager, [](unsigned status, std::exception_ptr error) {
    EXPECT_TRUE(error);
    return Text(http::status::ok, 11, "sorry " + std::to_string(status));
  });
  const auto answer = sent(kind.serve(get(), peer, fails));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("\r\n\r\nsorry 500")) << answer;
  EXPECT_TRUE(has(answer, "Cache-Control: no-store"));

  const BeastSessions<Session> throws(manager, [](unsigned, std::exception_ptr) -> Text { throw 1; });
  const BeastSessions<Session> forges(manager, [](unsigned, std::exception_ptr) {
    Text page(http::status::ok, 11);
    page.set("X", "a\r\nb");
    return page;
  });
  for (const auto* bad : {&throws, &forges}) {
    const auto plain = sent(bad->serve(get(), peer, fails));
    EXPECT_TRUE(plain.starts_with("HTTP/1.1 500 ") && plain.ends_with("Internal Server Error\n")) << plain;
  }
}

TEST_F(Beast, AHandshakeThatIsRefusedIsAnswered) {
  const auto anybody = [](Session&, const Request&) { return true; };
  const auto opening = sessions.handshake(get(), peer, anybody);
  ASSERT_TRUE(opening.refusal);
  auto own = get();
  own.set("Sec-Fetch-Site", "same-origin");
  auto stranger = sessions.handshake(own, peer, anybody);
  EXPECT_TRUE(has(sent(std::move(*stranger.refusal)), "no session"));
  auto visitor =
      sessions.handshake(own, peer, [](Session& session, const Request&) { return session.set("x", 1), true; });
  ASSERT_FALSE(visitor.refusal);
  EXPECT_EQ(visitor.ticket().subject(), "");
  Text accepts(http::status::switching_protocols, 11);
  visitor.put(accepts);
  EXPECT_EQ(accepts.count("Set-Cookie"), 1u);
  EXPECT_EQ(accepts["Cache-Control"], "no-store");
}

TEST(BeastPeerTest, IsTheAddressWithoutItsZone) {
  using asio::ip::tcp;
  const auto of = [](const char* address) {
    return BeastPeer::of(tcp::endpoint(asio::ip::make_address(address), 80)).address;
  };
  EXPECT_EQ(of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(of("fe80::1%1"), "fe80::1");
  EXPECT_TRUE(BeastPeer::of({}, true).https);
}

}  // namespace
}  // namespace sancho::test
// the end
