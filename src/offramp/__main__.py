"""The command `offramp`, and `python -m offramp`. Nothing but the way in."""

from offramp.cli.main import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
