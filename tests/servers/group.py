"""Servers that are one store together."""


class Group:
    """What a single server can do, done to each of `nodes`."""

    def __init__(self, nodes):
        self.nodes = nodes

    def start(self):
        self.launch()
        self.wait()

    def launch(self):
        for node in self.nodes:
            if not node.runs():
                node.launch()

    def wait(self):
        for node in self.nodes:
            node.wait()

    def stop(self):
        self._each("stop")

    def kill(self):
        self._each("kill")

    def freeze(self):
        self._each("freeze")

    def thaw(self):
        self._each("thaw")

    def log(self):
        return "".join(f"== {node.name}\n{node.log()}" for node in self.nodes)

    def addresses(self):
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def _each(self, what):
        for node in self.nodes:
            getattr(node, what)()
