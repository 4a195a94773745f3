"""Whom servers run as. Most of them refuse to be root, and none needs to be."""

import os
import pwd


class User:
    """A user of the machine, and what `subprocess` is to be told to become it."""

    def __init__(self, entry):
        self.name, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid

    @property
    def become(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def user_for(name):
    """The system user `name` if we are root, `nobody` if there is none; else ourselves."""
    if os.geteuid() != 0:
        return User(pwd.getpwuid(os.geteuid()))
    try:
        return User(pwd.getpwnam(name))
    except KeyError:
        return User(pwd.getpwnam("nobody"))
