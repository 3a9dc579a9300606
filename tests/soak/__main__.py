"""``python -m tests.soak``: write for minutes while everything goes wrong, and count what is lost or doubled."""

from __future__ import annotations

import argparse
import sys
from random import SystemRandom

from logicaldb.testing import DynamoDbLocal
from tests.soak.soak import Soak


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - figures for people


def main() -> int:
    """Run it, and print its figures; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long to write (3)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32), help="draws the faults (random)")
    parser.add_argument("--workers", type=int, default=2, help="threads of each kind of work, and processes (2)")
    options = parser.parse_args()
    tell(f"soak: {options.minutes:g} minutes, seed {options.seed}, workers {options.workers}")
    with DynamoDbLocal() as local:
        soak = Soak(local.endpoint_url, options.minutes * 60, options.seed, options.workers)
        soak.run()
    for name, figure in soak.table_of_figures():
        tell(f"{name:<45}{figure:>10,}")
    for finding in soak.findings:
        tell(f"{finding.kind.value}: {finding.what}")
    return 1 if soak.findings else 0


if __name__ == "__main__":
    sys.exit(main())
