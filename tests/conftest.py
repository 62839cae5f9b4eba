"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # on a busy machine an example may take any time
settings.load_profile("untimed")
