"""``python -m dapt``, and the program ``dapt``."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the program; whoever interrupts it while it is still being loaded ends it at once, and sees no traceback."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored, as in the background
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dapt.cli.app import main as program

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    program()


if __name__ == "__main__":
    main()
