"""Builds what is measured, for release, in build/release."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WHERE = ROOT / "build" / "release"
_configured = False


class NotThere(Exception):
    """This tree has no such program, or what it needs is not installed."""


def _run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def _configure():
    global _configured
    if not _configured:
        status, said = _run("cmake", "-S", ROOT, "-B", WHERE, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSANCHO_TESTS=OFF",
                            "-DSANCHO_PROGRAMS=OFF", "-Wno-dev")
        if status:
            raise RuntimeError(f"cmake cannot configure {WHERE}:\n{said}")
        _configured = True


def program(target):
    """The path of a program under bench/, built."""
    _configure()
    status, said = _run("cmake", "--build", WHERE, "--target", target)
    if "unknown target" in said:
        raise NotThere(f"`{target}` is not built here")
    if status:
        raise RuntimeError(f"{target} cannot be built:\n{said[-5000:]}")
    return WHERE / "bench" / target
