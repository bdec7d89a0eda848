"""``python3 dev.py bench`` and a suite: measure, print, keep; ``--help`` says more."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import data
from benchmarks.access import suite as access
from benchmarks.achievements import suite as achievements
from benchmarks.console import suite as console
from benchmarks.engine import suite
from benchmarks.mail import suite as mail

SUITES = {
    "data": data.main,
    "engine": suite.main,
    "achievements": achievements.SUITE.main,
    "mail": mail.SUITE.main,
    "access": access.SUITE.main,
    "console": console.SUITE.main,
}


def main(arguments: Sequence[str]) -> int:
    """Run a suite; 1 when a limit is not held."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Measure, print, keep.")
    parser.add_argument("suite", choices=SUITES)
    suite_name = parser.parse_args(arguments[:1]).suite
    return SUITES[suite_name](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
