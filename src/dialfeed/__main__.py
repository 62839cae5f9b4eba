"""`python -m dialfeed` is the command `dialfeed`."""

from __future__ import annotations

from dialfeed.cli import main

main()
