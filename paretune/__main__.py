"""python -m paretune."""

import sys

from paretune.cli import main

if __name__ == "__main__":
    sys.exit(main())
