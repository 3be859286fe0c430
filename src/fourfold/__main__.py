"""`python -m fourfold`, the same as the `fourfold` command."""

import os
import sys

from fourfold.cli import main

code = main()
if "RANK" in os.environ:
    # One of several processes. All is written by now; torn down with the interpreter, the threads with which they talk
    # to each other abort a process now and then that has done its work.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
sys.exit(code)
