"""The standard error, apart from what libraries in other languages write there themselves.

An engine that fails may print lines of its own before its error arrives as an exception (``thread '…' panicked at …``),
and nobody who imports a list can make sense of them. Such lines go straight to descriptor 2. So the command line
writes through a descriptor of its own, and 2 can be turned away while the engine works.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_NATIVE: Final = 2
"""The descriptor that libraries write to, whatever `sys.stderr` is."""


def set_apart() -> None:
    """Let `sys.stderr` write through a descriptor of its own, where it is the process's own standard error."""
    own = sys.__stderr__
    if own is not None and sys.stderr is own and _descriptor() == _NATIVE:
        sys.stderr = os.fdopen(os.dup(_NATIVE), "w", 1, encoding=own.encoding, errors=own.errors)


@contextmanager
def without_native_lines() -> Generator[None]:
    """Turn away what libraries write to the standard error themselves; nothing, where ours is not set apart.

    After a failure they stay turned away, since threads of the library may still be writing.
    """
    if _descriptor() in {None, _NATIVE}:
        yield
        return
    kept, nowhere = os.dup(_NATIVE), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _NATIVE)
    os.close(nowhere)
    failed = True
    try:
        yield
        failed = False
    except GeneratorExit:  # nobody wants any more of it
        failed = False
        raise
    finally:
        if not failed:
            os.dup2(kept, _NATIVE)
        os.close(kept)


def _descriptor() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
