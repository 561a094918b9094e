"""``python -m dapt``."""

from dapt.cli.app import main

if __name__ == "__main__":
    main()
