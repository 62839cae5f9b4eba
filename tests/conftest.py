"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# on a busy machine an example may take any time; CI looks at the same examples in every run, everybody else at new ones
settings.register_profile("ours", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("ours")
