"""Shows that each rule of check_arrows.py can fail: a bad file a row, and good
files that must pass."""

import pathlib
import tempfile
import unittest

from check_arrows import House

# Files that are there in every case, so that includes have something to reach.
TREE = {
    "include/sancho/store.hpp": "#include <optional>\n",
    "include/sancho/session.hpp": '#include "sancho/store.hpp"\n',
    "include/sancho/open_store.hpp": '#include "sancho/store.hpp"\n#include "sancho/stores/memory.hpp"\n',
    "include/sancho/stores/memory.hpp": '#include "sancho/store.hpp"\n',
    "include/sancho/adapters/httplib.hpp": '#include <httplib.h>\n#include "sancho/session.hpp"\n',
    "include/sancho/conformance.hpp": '#include <gtest/gtest.h>\n#include "sancho/store.hpp"\n',
    "src/session/session.cpp": '#include "sancho/session.hpp"\n#include <fmt/format.h>\n#include "base/helper.hpp"\n',
    "src/base/helper.hpp": "#include <string>\n",
    "src/session/knows_sessions.hpp": '#include "sancho/session.hpp"\n',
    "src/protocol/step.cpp": '#include "sancho/store.hpp"\n#include <variant>\n',
    "include/sancho/async/store.hpp": '#include <boost/asio/awaitable.hpp>\n#include "sancho/store.hpp"\n',
    "include/sancho/async/manager.hpp": '#include "sancho/async/store.hpp"\n#include "sancho/session.hpp"\n',
    "src/async/scope.cpp": '#include <boost/asio/post.hpp>\n#include "async/driver.hpp"\n#include "base/helper.hpp"\n',
    "src/async/driver.hpp": '#include "sancho/async/manager.hpp"\n',
    "include/sancho/stores/big.hpp": '#include "sancho/store.hpp"\n',
    "include/sancho/async/big.hpp": '#include "sancho/async/store.hpp"\n#include "sancho/stores/big.hpp"\n',
    "src/stores/async_big/big.cpp": '#include <boost/asio/post.hpp>\n#include "sancho/async/big.hpp"\n',
    "src/stores/memory/pages.hpp": "#include <cstddef>\n",
    "src/stores/memory/memory_store.cpp": '#include "sancho/stores/memory.hpp"\n#include "base/helper.hpp"\n#include <mutex>\n',
    "src/conformance/suite.cpp": '#include "sancho/conformance.hpp"\nstd::mt19937 walk;\nvoid f() { std::cout << 1; }\n',
    "adapters/httplib/scope.cpp": '#include "sancho/adapters/httplib.hpp"\n#include "local.hpp"\n',
    "adapters/httplib/local.hpp": "#include <string>\n",
}

# path, text, a part of the complaint.
BAD = [
    ("include/sancho/a.hpp", '#include "sancho/nowhere.hpp"', "is no public header"),
    ("include/sancho/a.hpp", '#include "base/helper.hpp"', "not base/helper.hpp"),
    ("include/sancho/a.hpp", '#include "../../src/base/helper.hpp"', "not ../../src/base/helper.hpp"),
    ("include/sancho/a.hpp", "#include <fmt/format.h>", "not fmt/format.h"),
    ("include/sancho/a.hpp", "#include <httplib.h>", "not httplib.h"),
    ("include/sancho/a.hpp", "#include <sys/socket.h>", "not sys/socket.h"),
    ("include/sancho/a.hpp", "# include <sqlite3.h>", "not sqlite3.h"),
    ("include/sancho/a.hpp", '#include "sancho/stores/memory.hpp"', "the core knows no"),
    ("include/sancho/a.hpp", '#include "sancho/open_store.hpp"', "the core knows no"),
    ("include/sancho/a.hpp", '#include "sancho/async/store.hpp"', "the core knows no"),
    ("include/sancho/a.hpp", "#include <boost/asio/post.hpp>", "not boost/asio/post.hpp"),
    ("include/sancho/async/a.hpp", '#include "sancho/stores/memory.hpp"', "the core knows no"),
    ("include/sancho/async/a.hpp", "#include <boost/beast/core.hpp>", "not boost/beast/core.hpp"),
    ("src/session/a.cpp", "#include <boost/asio/post.hpp>", "no framework"),
    ("src/session/a.cpp", '#include "async/driver.hpp"', "no coroutine"),
    ("src/a.cpp", "", "no room"),
    ("src/base/a.cpp", '#include "session/knows_sessions.hpp"', "src/base knows no src/session/knows_sessions.hpp"),
    ("src/edge/a.cpp", '#include "../session/knows_sessions.hpp"', "src/edge knows no"),
    ("src/protocol/a.cpp", '#include "session/knows_sessions.hpp"', "src/protocol knows no"),
    ("src/async/a.cpp", '#include "stores/memory/pages.hpp"', "src/async knows no"),
    ("src/stores/a/a.cpp", '#include "session/knows_sessions.hpp"', "src/stores knows no"),
    ("src/decorators/a.cpp", '#include "base/helper.hpp"', "src/decorators knows no"),
    ("src/async/a.cpp", "#include <boost/beast/core.hpp>", "no framework"),
    ("src/async/a.cpp", '#include "sancho/stores/memory.hpp"', "no store"),
    ("src/stores/a/a.cpp", '#include "sancho/async/manager.hpp"', "the contract only"),
    ("include/sancho/async/a.hpp", '#include "sancho/stores/big.hpp"', "the core knows no"),
    ("src/stores/async_a/a.cpp", '#include "sancho/async/manager.hpp"', "the contract only"),
    ("src/stores/async_a/a.cpp", '#include "sancho/async/big.hpp"', "the contract only"),
    ("src/stores/async_a/a.cpp", "#include <boost/beast/core.hpp>", "no framework"),
    ("src/stores/a/a.cpp", "#include <boost/asio/post.hpp>", "no framework"),
    ("include/sancho/a.hpp", "inline void f() { std::cerr << 1; }", "prints nothing"),
    ("include/sancho/a.hpp", "inline void f() { std::abort(); }", "ends no process"),
    ("include/sancho/a.hpp", "namespace sancho {\nclass A;\nclass B {\n};\n}  // namespace sancho", "a.hpp:3: a shared library would not"),
    ("include/sancho/a.hpp", "namespace sancho::detail {\nvoid f();\n}", "would not show it"),
    ("src/session/a.cpp", '#include "sancho/stores/memory.hpp"', "reaches include/sancho/stores/memory.hpp"),
    ("src/session/a.cpp", '#include "sancho/open_store.hpp"', "reaches include/sancho/open_store.hpp"),
    ("src/session/a.cpp", "#include <httplib.h>", "no framework"),
    ("src/session/a.cpp", "#include <gtest/gtest.h>", "no framework"),
    ("src/session/a.cpp", "std::mt19937 engine;", "RandomSource"),
    ("src/session/a.cpp", "std::random_device device;", "RandomSource"),
    ("src/session/a.cpp", "int f() { return rand(); }", "RandomSource"),
    ("src/session/a.cpp", "int f() { return std::rand(); }", "RandomSource"),
    ("src/session/a.cpp", 'void f() { printf("x"); }', "prints nothing"),
    ("src/session/a.cpp", 'void f() { std::printf("x"); }', "prints nothing"),
    ("src/session/a.cpp", 'void f() { fprintf(stderr, "x"); }', "prints nothing"),
    ("src/session/a.cpp", 'void f() { ::puts("x"); }', "prints nothing"),
    ("src/session/a.cpp", "void f() { std::cout << 1; }", "prints nothing"),
    ("src/session/a.cpp", 'void f() { fmt::print("x"); }', "prints nothing"),
    ("src/session/a.cpp", "void f() {\n  abort();\n}", "src/session/a.cpp:2: "),
    ("src/session/a.cpp", "void f() { if (bad) exit(1); else abort(); }", "ends no process"),
    ("src/session/a.cpp", "void f() { ::_exit(1); }", "ends no process"),
    ("src/stores/a/a.cpp", '#include "sancho/session.hpp"', "the contract only"),
    ("src/stores/a/a.cpp", '#include "session/knows_sessions.hpp"', "reaches include/sancho/session.hpp"),
    ("src/stores/a/a.cpp", '#include "../../session/knows_sessions.hpp"', "reaches include/sancho/session.hpp"),
    ("src/stores/a/a.cpp", '#include "sancho/adapters/httplib.hpp"', "the contract only"),
    ("src/stores/a/a.cpp", "#include <httplib.h>", "no framework"),
    ("src/stores/a/a.cpp", "std::minstd_rand engine;", "RandomSource"),
    ("src/stores/a/a.cpp", "void f() { std::clog << 1; }", "prints nothing"),
    ("adapters/httplib/a.cpp", '#include "../../src/base/helper.hpp"', "not ../../src/base/helper.hpp"),
    ("adapters/httplib/a.cpp", '#include "base/helper.hpp"', "not base/helper.hpp"),
    ("adapters/httplib/a.cpp", "#include <drogon/drogon.h>", "not drogon/drogon.h"),
    ("adapters/other/a.cpp", "#include <httplib.h>", "not httplib.h"),
    ("adapters/other/a.cpp", '#include "../httplib/local.hpp"', "not ../httplib/local.hpp"),
    ("src/protocol/a.cpp", "#include <fstream>", "no <fstream>"),
    ("src/protocol/a.cpp", "#include <iostream>", "no <iostream>"),
    ("src/protocol/a.cpp", "#include <thread>", "no <thread>"),
    ("src/protocol/a.cpp", "#include <mutex>", "no <mutex>"),
    ("src/protocol/a.cpp", "#include <sys/socket.h>", "no <sys/socket.h>"),
    ("src/protocol/a.cpp", "auto f(const Clock& c) { return c.now(); }", "parameter of the protocol"),
    ("src/protocol/a.cpp", "auto f() { return std::chrono::steady_clock::now(); }", "parameter of the protocol"),
    ("src/protocol/a.cpp", "auto f() { return &system_random(); }", "parameters of the protocol"),
]

GOOD = [
    ("include/sancho/a.hpp", "// std::cout << 1; printf(1)\n/* abort(); */\n#include <string>\n"),
    ("include/sancho/a.hpp", "struct Scope { void abort(); };\nvoid f(Scope& s, Scope* p) { s.abort(); p->abort(); }"),
    ("include/sancho/a.hpp", "namespace sancho {\nclass A;\nenum class B : int;\n}\nnamespace sancho SANCHO_EXPORT {\nclass B {\n};\n}"),
    ("src/base/misuse.cpp", 'void f() { std::fprintf(stderr, "x"); std::abort(); }'),
    ("src/session/a.cpp", 'auto f() { return "call abort() or printf(1) or std::cout"; }'),
    ("src/session/a.cpp", "auto f(char* b) { return std::snprintf(b, 1, \"\"); }"),
    ("src/session/a.cpp", "int grand(int); int f() { return grand(1'000'000) + operand(2); }"),
    ("src/session/a.cpp", "Time f(Time now) { return now; }"),
    ("src/protocol/a.cpp", "bool f(const Record& r, Time now) { return r.expired(now); }"),
    ("src/stores/a/a.cpp", '#include <sqlite3.h>\n#include <sys/stat.h>\n#include "sancho/record.hpp"\n'),
]


def complaints(path="", text=""):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, content in {**TREE, "include/sancho/record.hpp": "", **({path: text} if path else {})}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
        return House(root).check()


class EachRule(unittest.TestCase):
    def test_a_good_tree_passes(self):
        self.assertEqual(complaints(), [])

    def test_each_bad_file_is_found(self):
        for path, text, part in BAD:
            with self.subTest(path=path, text=text):
                found = complaints(path, text)
                self.assertTrue(any(c.startswith(path + ":") and part in c for c in found), found)

    def test_no_good_file_is_blamed(self):
        for path, text in GOOD:
            with self.subTest(path=path, text=text):
                self.assertEqual(complaints(path, text), [])


if __name__ == "__main__":
    unittest.main()
