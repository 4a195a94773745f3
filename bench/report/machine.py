"""What was measured where: it stands beside each figure."""

import datetime
import os
import pathlib
import platform
import shutil
import subprocess


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def said(*command):
    """The first line that a program says, or nothing where it is not there."""
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return next(iter(done.stdout.splitlines()), None)


def of_packages(*packages):
    """{package: version} of Debian's that are installed."""
    if not packages or not shutil.which("dpkg-query"):  # which tells of all, if it is given none
        return {}
    shown = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version} ${db:Status-Status}\n", *packages],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    fields = [line.split() for line in shown.splitlines()]
    return {name: version for name, version, status in (f for f in fields if len(f) == 3) if status == "installed"}


def describe():
    return {"date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1),
            "machine": f"{cpu()}, {os.cpu_count()} cores, Linux {'.'.join(platform.release().split('.')[:2])}", "compiler": said("c++", "--version")}
