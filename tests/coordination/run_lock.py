"""A program: takes a contact list's lock, says what it found, and holds it until its input ends.

Arguments: home, list id, run id; then any of ``insist`` and ``fork`` (leaves a
forked child behind that sleeps, and only its process number is said).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dialfeed.coordination.locks import ListLock, ListLocked

home, list_id, run_id, *options = sys.argv[1:]
lock = ListLock(
    Path(home),
    "https://example.com",
    list_id,
    run_id=run_id,
    run_folder=Path("runs") / run_id,
    insist="insist" in options,
)
try:
    with lock:
        taken_over = lock.taken_over.run_id if lock.taken_over else "-"
        overridden = lock.overridden.run_id if lock.overridden else "-"
        if "fork" in options:
            if os.fork() == 0:
                print(os.getpid(), flush=True)
                time.sleep(20)
                os._exit(0)
            sys.stdin.read()
        print("holds" if lock.held else "insists", taken_over, overridden, flush=True)
        sys.stdin.read()
except ListLocked as refused:
    print("refused", refused.exit_code, refused, flush=True)
