"""Libraries that only some users need: imported when they are wanted first."""

from __future__ import annotations

import importlib
from typing import Any

from dialfeed.errors import FixSettings


def needed(module: str, *, extra: str, purpose: str) -> Any:
    """Import a library that comes with an extra.

    Args:
        module: Its name.
        extra: The extra that installs it.
        purpose: What it is needed for, as in "dialfeed cannot …".

    Raises:
        FixSettings: It is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise FixSettings(
            f"dialfeed cannot {purpose} without the package '{package}'.",
            advice=f"Install it: pip install 'dialfeed[{extra}]'.",
        ) from None
