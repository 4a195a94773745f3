"""Makes the modules of the neighbours importable: import this first."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path += [os.path.join(_HERE, "..", neighbour) for neighbour in ("history", "servers")]
