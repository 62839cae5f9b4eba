"""A program: locks a budget's file, writes half a record into it, says so, and stays.

Argument: the file.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

handle = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(handle, fcntl.LOCK_EX)
os.pwrite(handle, b"DFP2 and here the process was killed", 0)
print("held", flush=True)
time.sleep(60)
