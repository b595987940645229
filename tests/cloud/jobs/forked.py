"""The jobs process, forked from one that has its modules loaded already: a start takes no second."""

import os
import sys
from collections.abc import Mapping


def jobs(environ: Mapping[str, str]) -> None:
    """What ``python -m cloud jobs`` does with this environment; it never returns."""
    os.environ.update(environ)
    # Its own process group and output: whoever kills it kills nobody else.
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 -- it ends with the process
    from cloud import faults
    from cloud.__main__ import main

    faults.write_without_values()
    sys.exit(main(["jobs"]))
