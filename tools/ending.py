"""How the scripts of this folder end where something is wrong with what they were given: as `dapt` does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from dapt.console import lines_of
from dapt.errors import DaptError

MISTAKE, INTERRUPTED = 2, 130


def ending(main: Callable[[], object]) -> NoReturn:
    """Carry out a script and exit: 0 done, 2 and a sentence or two the user's mistake, 130 interrupted."""
    try:
        main()
    except DaptError as error:
        first, *more = error.message.split("\n")
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
