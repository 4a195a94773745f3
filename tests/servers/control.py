"""By which a test in another language kills its servers, and starts them again.

A test that runs under with_server.py connects to the unix socket that
SANCHO_TEST_CONTROL names, sends lines, and gets a line for each:

    kill redis             ->  ok
    start redis            ->  ok                 when it answers
    master sentinel        ->  ok sentinel.1      a node of a group has a number
    freeze sentinel.1      ->  ok
    promote redis          ->  error ...          why not

`WORDS` has what can be asked. control_test.cpp is an example, tests/support/servers.hpp a client.
"""

import os
import selectors
import socket

from group import Group


def _number(word):
    return int(word)


def _text(word):
    return word


NODE = object()  # a parameter that is a node of the same group

# What can be asked of which servers: the method's name, and its parameters. A
# method that a server does not have is an error.
WORDS = {
    "start": [], "stop": [], "kill": [], "freeze": [], "thaw": [],
    "master": [], "wait_until_whole": [],
    "promote": [],
    "wait_for_size": [_number],
    "slot_of": [_text], "owner": [_number], "replica_of": [NODE],
    "open_move": [_number, NODE, NODE], "move_keys": [_number, NODE, NODE], "close_move": [_number, NODE],
    "give_up_move": [_number],
    "move_slot": [_number, NODE],
    "sql": [_text], "ask": None,  # None: any number of words
}


class Control:
    """Answers for `servers`, which are known by their kinds."""

    def __init__(self, servers, directory):
        self._servers = servers
        self.path = os.path.join(directory, "control")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def serve_until(self, child):
        """Answers until the child process has ended, and returns its status."""
        ended = os.pidfd_open(child.pid)
        try:
            self._selector.register(ended, selectors.EVENT_READ, None)
            while child.poll() is None:
                for key, _ in self._selector.select():
                    if key.data:
                        key.data()
            return child.returncode
        finally:
            os.close(ended)

    def answer(self, line):
        """The answer to a line."""
        try:
            value = self._do(line.split())
        except Exception as error:  # whatever it is, the test is to know
            return f"error {type(error).__name__}: {error}".replace("\n", " ")
        return "ok" if value in (None, "") else f"ok {value}".replace("\n", " ")

    def _accept(self):
        connection = self._listener.accept()[0]
        lines = connection.makefile("rw")

        def next_line():
            line = lines.readline()
            if line:
                try:
                    lines.write(self.answer(line) + "\n")
                    lines.flush()
                    return
                except BrokenPipeError:
                    pass
            self._selector.unregister(connection)
            connection.close()
        self._selector.register(connection, selectors.EVENT_READ, next_line)

    def _do(self, words):
        if len(words) < 2 or words[0] not in WORDS:
            raise ValueError(f"a line is a word and a server; the words are {' '.join(WORDS)}")
        word, name, rest = words[0], words[1], words[2:]
        server = self._server(name)
        if not hasattr(server, word):
            raise ValueError(f"{name} has no {word}")
        value = getattr(server, word)(*self._parameters(WORDS[word], rest))
        return self._name_of(value) if hasattr(value, "runs") else value

    def _parameters(self, kinds, words):
        if kinds is None:
            return words
        if kinds == [_text]:
            return [" ".join(words)]
        if len(kinds) != len(words):
            raise ValueError(f"{len(kinds)} parameters are needed")
        return [self._server(word) if kind is NODE else kind(word) for kind, word in zip(kinds, words)]

    def _server(self, name):
        kind, _, number = name.partition(".")
        if kind not in self._servers:
            raise ValueError(f"there is no {kind}, but {' '.join(self._servers)}")
        server = self._servers[kind]
        return server.nodes[int(number)] if number else server

    def _name_of(self, node):
        return next(f"{kind}.{group.nodes.index(node)}" for kind, group in self._servers.items()
                    if isinstance(group, Group) and node in group.nodes)
