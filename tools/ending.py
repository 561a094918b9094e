"""How the scripts of this folder end where something is wrong with what they were given: as `dapt` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from dapt.console import lines_of
from dapt.errors import DaptError

MISTAKE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def ending(main: Callable[[], object]) -> NoReturn:
    """Carry out a script and exit: 0 done, 2 and a sentence or two the user's mistake, 130 interrupted.

    141 where nobody reads what it prints any more.
    """
    try:
        main()
        sys.stdout.flush()
    except DaptError as error:
        first, *more = error.message.split("\n")
    except BrokenPipeError:  # as of `| head`: what is still held back has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        if error.filename is None:
            raise
        first, more = f"{error.filename}: {error.strerror}.", []
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    else:
        sys.exit(0)
    print(lines_of([f"error: {first}", *more]), file=sys.stderr)
    sys.exit(MISTAKE)
