#include "stores/reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sancho {

void keep_reserve(const std::string& file, long size) noexcept {
  struct stat st {};
  if (::stat(file.c_str(), &st) == 0 && st.st_size >= size) return;
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // Half a reserve is none, and would keep others from what little there is.
  if (::fchmod(fd, 0600) != 0 || ::posix_fallocate(fd, 0, size) != 0) ::unlink(file.c_str());
  ::close(fd);
}

void spend_reserve(const std::string& file) noexcept { ::unlink(file.c_str()); }

}  // namespace sancho
