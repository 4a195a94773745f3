"""What a question needs that may not be there. Nothing is installed: it is said how."""

import pathlib
import shutil
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "bench" / "peers"


@dataclass(frozen=True)
class Program:
    name: str
    package: str

    def is_there(self):
        return bool(shutil.which(self.name, path="/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin") or
                    shutil.which(self.name))

    def how(self):
        return "apt-get install " + self.package


@dataclass(frozen=True)
class Module:
    """Of Debian's Python, which may not be the one that runs this."""
    name: str
    package: str

    def is_there(self):
        return subprocess.run(["/usr/bin/python3", "-c", f"import {self.name}"], stderr=subprocess.DEVNULL).returncode == 0

    def how(self):
        return "apt-get install " + self.package


@dataclass(frozen=True)
class Folder:
    """Source that a package brings."""
    name: str
    package: str

    def is_there(self):
        return pathlib.Path(self.name).is_dir()

    def how(self):
        return "apt-get install " + self.package


@dataclass(frozen=True)
class FromNpm:
    name: str

    def is_there(self):
        return (PEERS / "node_modules" / self.name / "package.json").is_file()

    def how(self):
        return "npm ci --prefix bench/peers"


def lacking(needs):
    return [need for need in needs if not need.is_there()]


def reason(needs):
    """Why something cannot be measured, or nothing."""
    missing = lacking(needs)
    return ", ".join(need.name for need in missing) + " not installed" if missing else None


def instructions(needs):
    """What to type for what is missing."""
    hows = sorted({need.how() for need in lacking(needs)})
    apt = [how.removeprefix("apt-get install ") for how in hows if how.startswith("apt-get")]
    lines = ["apt-get install --no-install-recommends " + " ".join(apt)] if apt else []
    return lines + [how for how in hows if not how.startswith("apt-get")]
