"""`python -m toys.drive VERB ...`: the command line with toy bodies for every kind of stage."""

import sys

from mfbench import __main__
from mfbench.bench import stage

if __name__ == "__main__":
    for kind in stage.BODIES:
        stage.BODIES[kind] = "toys.bodies"
    sys.exit(__main__.main())
