"""`python scripts/train.py …` is `jaxnet train …`."""

import sys

from jaxnet.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
