"""``python3 -m labkit`` opens the course; ``python3 -m labkit test`` runs its tests.

This file parses on old Pythons on purpose: its first act is to say which Python is needed.
"""

import sys

_OLDEST = (3, 11)


def _main():  # type: () -> None
    if sys.version_info[:2] < _OLDEST:
        sys.exit(
            "The course needs Python {}.{} or newer, and {} is Python {}.{}: install a newer one "
            "from your system's packages or python.org, and start the course with it, for example "
            "'python3.13 -m labkit'.".format(*_OLDEST, sys.executable, *sys.version_info[:2])
        )
    from labkit import _bootstrap

    _bootstrap.main(sys.argv[1:])


if __name__ == "__main__":
    _main()
