"""The sandbox: a local stand-in for a platform that speaks the `cxone` dialect (`cxone-v2-dialect.md`).

It imports nothing of the rest of dialfeed, so that it cannot share a mistake with the client it is there to test.
`coverage` lists what is emulated and what is not; `control` documents the control plane, `faults` the faults.
"""

from __future__ import annotations

from dialfeed.sandbox.coverage import Feature, coverage
from dialfeed.sandbox.faults import FAULT_KINDS, Fault, FaultPlan
from dialfeed.sandbox.server import SandboxServer, serve, serve_forever
from dialfeed.sandbox.settings import Settings

__all__ = [
    "FAULT_KINDS",
    "Fault",
    "FaultPlan",
    "Feature",
    "SandboxServer",
    "Settings",
    "coverage",
    "serve",
    "serve_forever",
]
