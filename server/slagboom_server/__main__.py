"""`slagboom`, also as `python -m slagboom_server`."""

from __future__ import annotations

import sys

from slagboom_banner.errors import PolicyError, SlagboomError
from slagboom_server.cli import app


def main() -> None:
    """Runs the command line; a user's mistake is told in plain lines and ends with code 2."""
    try:
        app()
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except SlagboomError as error:
        sys.stderr.write(f"slagboom: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
