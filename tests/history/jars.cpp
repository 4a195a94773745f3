#include "jars.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <stdexcept>

#include "../races/message.hpp"

namespace sancho::history {

namespace {
constexpr unsigned submissions = 4;  // of one form

// A value that a process killed in the middle of writing leaves as it was.
template <class T>
class Steady {
 public:
  T get() const { return pages_[current_.load()]; }
  void set(const T& value) {
    const auto other = 1u - current_.load();
    pages_[other] = value;
    current_ = other;
  }

 private:
  T pages_[2]{};
  std::atomic<unsigned> current_ = 0;
};

struct Browser {
  int session = no_session;
  bool turned_away = false;
};

struct Shown {
  std::uint64_t number = 0;
  int session = no_session;
  unsigned left = 0;
  races::Text<32> token;
};
}  // namespace

struct Jars::File {
  pthread_mutex_t mutex{};
  std::atomic<std::uint64_t> operations = 0, turns = 0, values = 0;
  std::atomic<int> sessions = 0;
  std::atomic<bool> stopped = false;
  Steady<Browser> browsers[most_browsers];
  Steady<Shown> forms[most_browsers];
  Steady<races::Text<64>> cookies[most_sessions];

  // Whoever died with it in hand left everything whole.
  class Lock {
   public:
    explicit Lock(File& file) : file_(file) {
      if (pthread_mutex_lock(&file_.mutex) == EOWNERDEAD) pthread_mutex_consistent(&file_.mutex);
    }
    ~Lock() { pthread_mutex_unlock(&file_.mutex); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    File& file_;
  };
};

Jars::Jars(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error(path + " cannot be opened");
  struct stat now {};
  const bool is_new = fstat(file, &now) == 0 && now.st_size == 0;
  if (is_new && ftruncate(file, sizeof(File)) != 0) throw std::runtime_error(path + " cannot be made");
  void* place = mmap(nullptr, sizeof(File), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (place == MAP_FAILED) throw std::runtime_error(path + " cannot be shared");
  file_ = static_cast<File*>(place);
  if (is_new) new (place) File;
  // Nobody holds it yet, or no more: a run is over when its audit begins.
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&file_->mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

Jars::~Jars() { munmap(file_, sizeof(File)); }

std::uint64_t Jars::next_operation() { return ++file_->operations; }
std::uint64_t Jars::next_turn() { return ++file_->turns; }
std::uint64_t Jars::next_value() { return ++file_->values; }

std::optional<int> Jars::new_session() {
  const int number = file_->sessions++;
  if (number < most_sessions) return number;
  file_->sessions = most_sessions;
  return std::nullopt;
}

void Jars::stop() { file_->stopped = true; }
bool Jars::stopped() const { return file_->stopped; }
void Jars::open_again() { file_->stopped = false; }

Tab Jars::tab(unsigned browser) const {
  const File::Lock lock(*file_);
  const auto now = file_->browsers[browser].get();
  if (now.session == no_session) return {browser, no_session, {}, true};
  return {browser, now.session, file_->cookies[now.session].get().string(), now.turned_away};
}

void Jars::arrived(const Tab& tab, int session, const std::string& cookie) {
  const File::Lock lock(*file_);
  races::Text<64> text;
  text = cookie;
  file_->cookies[session].set(text);
  file_->browsers[tab.browser].set({session, false});
}

void Jars::deleted(const Tab& tab) {
  const File::Lock lock(*file_);
  file_->browsers[tab.browser].set({});
}

void Jars::turned_away(const Tab& tab) {
  const File::Lock lock(*file_);
  if (file_->browsers[tab.browser].get().session == tab.session) file_->browsers[tab.browser].set({tab.session, true});
}

void Jars::show(unsigned browser, const Form& form) {
  const File::Lock lock(*file_);
  Shown shown{form.number, form.session, submissions, {}};
  shown.token = form.token;
  file_->forms[browser].set(shown);
}

std::optional<Form> Jars::form(unsigned browser) {
  const File::Lock lock(*file_);
  auto shown = file_->forms[browser].get();
  if (shown.left == 0) return std::nullopt;
  --shown.left;
  file_->forms[browser].set(shown);
  return Form{shown.number, shown.session, shown.token.string()};
}

void Jars::each(const std::function<void(int, const std::string&)>& what) const {
  for (int session = 0; session < file_->sessions; ++session)
    if (const auto cookie = file_->cookies[session].get(); !cookie.empty()) what(session, cookie.string());
}

}  // namespace sancho::history
