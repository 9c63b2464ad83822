"""`python -m darkgnn_core`: the command line."""

import sys

from darkgnn_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
