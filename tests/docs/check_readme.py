"""Does what the README shows: its program is examples/ten_lines, and its
console session, run against package_app, prints what it says.

    check_readme.py ROOT PACKAGE_APP
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time


def block(text, language):
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, seconds=20):
    for _ in range(seconds * 20):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("package_app did not answer")


def steps(console):
    """[(command, expected output)]"""
    for chunk in re.split(r"^\$ ", console, flags=re.M)[1:]:
        command, _, output = chunk.partition("\n")
        yield command, output


def main(root, package_app):
    readme = (pathlib.Path(root) / "README.md").read_text()
    program = (pathlib.Path(root) / "examples/ten_lines/main.cpp").read_text()
    wrong = []
    if block(readme, "cpp") != program:
        wrong.append("the README's program is not examples/ten_lines/main.cpp")
    port = free_port()
    server = subprocess.Popen([package_app, "--port", str(port), "--store", "memory:"], stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        ran = 0
        with tempfile.TemporaryDirectory() as place:
            for command, expected in steps(block(readme, "console")):
                command = command.replace("localhost:8090", f"127.0.0.1:{port}")
                done = subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, text=True, timeout=60)
                ran += 1
                if done.stdout != expected:
                    wrong.append(f"$ {command}\nprints   {done.stdout!r}\nis to be {expected!r}")
        if ran < 5:
            wrong.append("the README's console session is not there")
    finally:
        server.terminate()
        server.wait(20)
    print("\n".join(wrong) or f"the README's program and its {ran} commands do what it says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
