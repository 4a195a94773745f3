"""Reads what shared libraries show, and says what does not belong to the public headers.

    check_symbols.py INCLUDE LIBRARY...

Prints `library: symbol`, one a line; exits with 1 if there is any. The names of the headers are read from their text:
whoever is only announced there (`class AsyncScope;`) is not public.
"""

import pathlib
import re
import subprocess
import sys

DEFINED = re.compile(r"^\s*(?:class|struct|enum class|enum)\s+(?:SANCHO_EXPORT\s+)?(\w+)(?:\s+final)?\s*(?::[^:;]|\{|:$)", re.M)
CALLED = re.compile(r"\b(\w+)\s*\(")
VALUE = re.compile(r"^inline constexpr .*?\b(\w+)\s*(?:=|\{)", re.M)
NAMESPACES = ("detail", "conformance")
OF = re.compile(r"^(?:typeinfo(?: name)? for|vtable for|VTT for|construction vtable for|guard variable for"
                r"|(?:non-)?virtual thunk to) ")


def public_names(include):
    names = set()
    for header in pathlib.Path(include).rglob("*.hpp"):
        text = re.sub(r"//[^\n]*", "", header.read_text())
        for kind in (DEFINED, CALLED, VALUE):
            names.update(kind.findall(text))
    return names


# What Asio keeps for each thread, which a loop of the program's and this library must share (src/async/asio.hpp).
SHARED = re.compile(r"^boost::asio::detail::keyword_tss_ptr<[^()]*>::value_$")


def is_public(symbol, names):
    if SHARED.match(symbol):
        return True
    symbol = OF.sub("", symbol)
    parts = re.match(r"sancho::(\w+)(?:::(\w+))?", symbol)
    if not parts:
        return False
    first, second = parts.groups()
    return second in names if first in NAMESPACES else first in names


def shown(library):
    said = subprocess.run(["nm", "-DC", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return [line.split(maxsplit=2)[2] for line in said.splitlines()]


def check_itself(names):
    """What must be found out, is."""
    for right in ("sancho::SimpleSession::user() const", "typeinfo for sancho::StoreError", "sancho::detail::collect(x)",
                  "vtable for sancho::SessionStore", "sancho::system_random()", "sancho::ScopeBase::Saving::more()"):
        assert is_public(right, names), right
    for wrong in ("sancho::protocol::Save::resume(sancho::protocol::Env&)", "sancho::AsyncScope::consume()", "main",
                  "fmt::v9::detail::vformat_to()", "typeinfo for sancho::protocol::Save", "sancho::crc32c()",
                  "std::vector<sancho::Record>::_M_realloc_insert()", "sancho::misused(sancho::Misuse const&)"):
        assert not is_public(wrong, names), wrong


def main(include, *libraries):
    names = public_names(include)
    check_itself(names)
    if not libraries:
        sys.exit("no library was given")
    wrong = []
    for library in libraries:
        symbols = shown(library)
        if not symbols:
            wrong.append(f"{library}: shows nothing at all")
        wrong += [f"{library}: {symbol}" for symbol in symbols if not is_public(symbol, names)]
        print(f"{pathlib.Path(library).name}: {len(symbols)} symbols")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
