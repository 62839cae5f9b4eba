"""Libraries that only some users need: imported when they are wanted first."""

from __future__ import annotations

import importlib
import importlib.util
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
        raise _missing(package, extra, purpose) from None


def check_installed(module: str, *, extra: str, purpose: str) -> None:
    """Whether a library is there, without importing it; arguments as for `needed`.

    Raises:
        FixSettings: It is not installed.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        raise _missing(module.partition(".")[0], extra, purpose)


def _missing(package: str, extra: str, purpose: str) -> FixSettings:
    return FixSettings(
        f"dialfeed cannot {purpose} without the package '{package}'.",
        advice=f"Install it: pip install 'dialfeed[{extra}]'.",
    )
