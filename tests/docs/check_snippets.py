"""Every block of C++ in a document stands in a program that the tests compile.

    check_snippets.py DOCUMENT PROGRAM

Lines are compared without their indentation.
"""

import pathlib
import re
import sys


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def stands_in(block, program):
    return any(program[i:i + len(block)] == block for i in range(len(program) - len(block) + 1))


def main(document, program):
    compiled = lines(pathlib.Path(program).read_text())
    blocks = re.findall(r"^```cpp\n(.*?)^```", pathlib.Path(document).read_text(), re.S | re.M)
    wrong = [block for block in blocks if not stands_in(lines(block), compiled)]
    for block in wrong:
        print(f"{document} shows what is not in {program}:\n{block}")
    if not wrong:
        print(f"all {len(blocks)} blocks are compiled")
    return 1 if wrong or not blocks else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
