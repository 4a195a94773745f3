// The URI parser and the door to the stores: tables of what goes in and what
// comes out.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "sancho/open_store.hpp"
#include "stores/uri.hpp"

namespace sancho {
namespace {

std::string config_error_of(const auto& act) {
  try {
    act();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no error";
}

TEST(StoreUri, IsTakenApart) {
  struct {
    const char *text, *scheme, *authority, *path;
  } const rows[] = {
      {"memory:", "memory", "", ""},
      {"sqlite:a.db", "sqlite", "", "a.db"},
      {"SQLite:A.db", "sqlite", "", "A.db"},
      {"sqlite:/a/b", "sqlite", "", "/a/b"},
      {"sqlite:///a/b", "sqlite", "", "/a/b"},
      {"dir:a%20b%3fc%25", "dir", "", "a b?c%"},
      {"dir:a+b", "dir", "", "a+b"},
      {"redis://u:p@h:1/0", "redis", "u:p@h:1", "/0"},
      {"redis-cluster://a,b,c", "redis-cluster", "a,b,c", ""},
  };
  for (const auto& row : rows) {
    const auto uri = StoreUri::parse(row.text);
    EXPECT_EQ(uri.scheme, row.scheme) << row.text;
    EXPECT_EQ(uri.authority, row.authority) << row.text;
    EXPECT_EQ(uri.path, row.path) << row.text;
    EXPECT_TRUE(uri.options.empty()) << row.text;
  }
}

TEST(StoreUri, OptionsArePercentDecoded) {
  const auto uri = StoreUri::parse("x:p?a=1&b%26=%3d%20");
  EXPECT_EQ(uri.path, "p");
  EXPECT_EQ(uri.options, (std::map<std::string, std::string>{{"a", "1"}, {"b&", "= "}}));
}

TEST(StoreUri, MalformedTextIsRefusedWithWhatToChange) {
  struct {
    std::string text, says;
  } const rows[] = {
      {"", "begin with the kind of store"},
      {"sessions.db", "begin with the kind of store"},
      {":x", "begin with the kind of store"},
      {"9p:x", "begin with the kind of store"},
      {"sq lite:x", "begin with the kind of store"},
      {"sqlite:a%", "write a plain % as %25"},
      {"sqlite:a%4", "write a plain % as %25"},
      {"sqlite:a%4g", "write a plain % as %25"},
      {"sqlite:a%00b", "%00"},
      {std::string("sqlite:a\0b", 10), "control character"},
      {"sqlite:a\nb", "control character"},
      {"sqlite:a#b", "%23"},
      {"sqlite:a?", "name=value"},
      {"sqlite:a?b", "name=value"},
      {"sqlite:a?=b", "name=value"},
      {"sqlite:a?b=c&", "name=value"},
      {"sqlite:a?b=c&b=d", "given twice"},
  };
  for (const auto& row : rows) {
    const auto error = config_error_of([&] { StoreUri::parse(row.text); });
    EXPECT_NE(error.find(row.says), error.npos) << row.text << ": " << error;
  }
}

TEST(StoreUri, NoMessageTellsAPassword) {
  const std::string rows[] = {"redis://user:hunter2secret@host/%zz", "redis://user:hunter2/secret@host#x", "redis://user:x?hunter2=secret@h?a",
                              "redis:user:hunter2secret@host\n",     "nosuch://hunter2secret@host",       "redis://h?password=hunter2secret#"};
  for (const auto& text : rows) {
    const auto error = config_error_of([&] { open_store(text); });
    EXPECT_NE(error, "no error");
    EXPECT_EQ(error.find("hunter2"), error.npos) << error;
    EXPECT_EQ(error.find("secret"), error.npos) << error;
  }
}

TEST(OpenStore, RefusesWhatNamesNoStore) {
  struct {
    const char *text, *says;
  } const rows[] = {
#ifdef SANCHO_HAVE_SQLITE
      {"nosuch:x", ", sqlite:"},
#endif
      {"nosuch:x", "no such kind of store; there are dir:, "},
      {"nosuch:x", ", memory:"},
      {"memory:path", "write just memory:"},
      {"memory://host", "has no host"},
      {"memory:?a=b", "no option 'a'; it has none"},
      {"dir://sessions", "has no host"},
      {"dir:x?mode=ro", "no option 'mode'"},
#ifdef SANCHO_HAVE_SQLITE
      {"sqlite:", "needs the path of a file"},
      {"sqlite::memory:", "write memory:"},
      {"sqlite://sessions.db", "has no host"},
      {"sqlite:x?nosuch=1", "no option 'nosuch'; it has synchronous, mode, "},
      {"sqlite:x?synchronous=off", "must be full or normal"},
      {"sqlite:x?mode=rwc", "must be ro or rw"},
      {"sqlite:x?max_pages=many", "must be a number"},
      {"sqlite:x?max_pages=1", "must be a number"},
      {"sqlite:x?max_pages=99999999999999999999", "must be a number"},
#else
      {"sqlite:x", "was not built"},
#endif
  };
  for (const auto& row : rows) {
    const auto error = config_error_of([&] { open_store(row.text); });
    EXPECT_NE(error.find(row.says), error.npos) << row.text << ": " << error;
  }
  EXPECT_FALSE(std::filesystem::exists("x"));
}

TEST(OpenStore, OpensEachKind) {
  std::string pattern = std::filesystem::temp_directory_path() / "sancho-open-XXXXXX";
  const std::filesystem::path place = mkdtemp(pattern.data());
  const auto works = [](const std::string& uri) {
    const ManualClock clock;
    const auto deadline = Deadline::after(std::chrono::seconds{20});
    const auto key = SessionKey::of_note("open", "a");
    Record record;
    record.accessed = clock.now();
    record.idle = std::chrono::minutes{1};
    record.ends = clock.now() + std::chrono::hours{1};
    record.payload = "kept";
    const auto store = open_store(uri, clock);
    store->create(key, record, deadline);
    EXPECT_EQ(store->load(key, deadline), record) << uri;
  };
  works("memory:");
  works("dir:" + (place / "sessions").native());
  EXPECT_TRUE(std::filesystem::is_directory(place / "sessions"));
#ifdef SANCHO_HAVE_SQLITE
  works("sqlite://" + (place / "a%20b.db").native() + "?synchronous=normal&max_pages=64");
  EXPECT_TRUE(std::filesystem::exists(place / "a b.db"));
#endif
  std::filesystem::remove_all(place);
}

}  // namespace
}  // namespace sancho
