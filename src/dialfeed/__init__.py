"""dialfeed loads outbound contact lists into cloud dialers: checked, scrubbed, each contact once, with proof.

    >>> import dialfeed
    >>> result = dialfeed.import_contacts("contacts.csv", list="Spring campaign")  # doctest: +SKIP
    >>> result.status, result.rows.delivered  # doctest: +SKIP
    ('SUCCESS', 2431)

The functions do what the commands of the same name do; `list_runs` does what `dialfeed runs` does, `compare` what
`dialfeed report --compare` does, `verify_trail` what `dialfeed audit verify` does. Settings are keyword arguments under
the names of `docs/settings.md`. Nothing heavy is imported before one of them is called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dialfeed._version import __version__

if TYPE_CHECKING:  # the names below are looked up when first used, so that `import dialfeed` costs nothing
    from dialfeed.api import (
        compare,
        import_contacts,
        list_runs,
        report,
        resume,
        retry,
        settle,
        status,
        validate_contacts,
        verify,
        verify_trail,
    )
    from dialfeed.errors import DialfeedError
    from dialfeed.running.run import Result

__all__ = [
    "DialfeedError",
    "Result",
    "__version__",
    "compare",
    "import_contacts",
    "list_runs",
    "report",
    "resume",
    "retry",
    "settle",
    "status",
    "validate_contacts",
    "verify",
    "verify_trail",
]

_HOMES = {"DialfeedError": "dialfeed.errors", "Result": "dialfeed.running.run"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "dialfeed.api")), name)


def __dir__() -> list[str]:
    return __all__
