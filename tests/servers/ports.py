"""Free ports on the loopback interface, which stay free for whoever drew them.

A server that is killed and started again needs its port again. So ports are
drawn below the range from which the kernel takes those of outgoing connections,
and each is held by a name that only one process of the machine can have: an
abstract unix socket, which vanishes with the process, however it ends.
"""

import random
import socket

def _range():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first_of_kernel = int(file.read().split()[0])
    return (10000, first_of_kernel) if first_of_kernel > 12000 else (20000, 65000)


def _reserve(port):
    """The socket that holds the port's name, or None."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0sancho-test-port-{port}")
        with socket.socket() as probe:
            # As servers do it: what is left of closed connections does not matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return None
    return name


def free_port():
    """A port, and what is to be closed when it is needed no longer."""
    chance = random.SystemRandom()
    for _ in range(1000):
        port = chance.randrange(*_range())
        holder = _reserve(port)
        if holder:
            return port, holder
    raise OSError("no free port was found on 127.0.0.1")
