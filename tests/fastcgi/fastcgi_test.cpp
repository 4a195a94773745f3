// A FastCGI server's socket, and its end.
#include "sancho/adapters/fastcgi.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace sancho {
namespace {

const CgiHandler nothing = [](const CgiRequest&, Response&) {};

class FastcgiTest : public testing::Test {
 protected:
  FastcgiTest() {
    char name[] = "/tmp/sancho-fastcgi-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~FastcgiTest() override { std::filesystem::remove_all(directory); }
  std::string path(const std::string& name = "socket") const { return (directory / name).string(); }
  std::filesystem::path directory;
};

bool connects(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const bool open = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return open;
}

TEST_F(FastcgiTest, ASocketThatCannotBeHadIsAnError) {
  EXPECT_THROW(FastcgiServer(nothing, {.socket = path("no/such/directory")}), std::system_error);
  EXPECT_THROW(FastcgiServer(nothing, {.socket = path(std::string(200, 'a'))}), std::system_error);
  std::ofstream(path("file")) << "precious";
  EXPECT_THROW(FastcgiServer(nothing, {.socket = path("file")}), std::system_error);
  EXPECT_EQ(std::filesystem::file_size(path("file")), 8U);
}

TEST_F(FastcgiTest, ASocketFromBeforeIsReplaced) {
  { FastcgiServer before(nothing, {.socket = path()}); }
  EXPECT_TRUE(std::filesystem::exists(path()));
  EXPECT_FALSE(connects(path()));
  FastcgiServer server(nothing, {.socket = path()});
  EXPECT_TRUE(connects(path()));
}

TEST_F(FastcgiTest, StopEndsAServerThatWaits) {
  FastcgiServer server(nothing, {.socket = path(), .threads = 3});
  std::thread runs([&] { server.run(); });
  EXPECT_TRUE(connects(path()));  // and says nothing
  server.stop();
  runs.join();
  server.run();  // it stays stopped
}

}  // namespace
}  // namespace sancho
