"""The real rsyslogd, where it is installed: over TCP and TLS, stopped and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import trustme
from sink_world import write_events
from waiting import wait_for
from weed import free_ports

from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.shipping import Shipping, Terms

PLAIN = """
module(load="imtcp")
template(name="all" type="string" string="%pri% %app-name% %procid% %msgid% %structured-data% %msg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{folder}/received" template="all")
"""
TLS = """
global(defaultNetstreamDriverCAFile="{folder}/ca.pem" defaultNetstreamDriverCertFile="{folder}/cert.pem"
       defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="imtcp" streamDriver.name="{driver}" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="all" type="string" string="%pri% %app-name% %procid% %msgid% %structured-data% %msg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{folder}/received" template="all")
"""


class Rsyslog:
    """The daemon, in a folder of its own."""

    def __init__(self, folder: Path, configuration: str, driver: str = "") -> None:
        (self.port,) = free_ports(1)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "conf").write_text(configuration.format(port=self.port, folder=folder, driver=driver), "utf-8")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(shutil.which("rsyslogd")), "-n", "-f", f"{self._folder}/conf", "-i", f"{self._folder}/pid"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._listens, 20)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def lines(self) -> list[str]:
        return (self._folder / "received").read_text("utf-8").splitlines()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("rsyslogd") is None:
        pytest.skip("rsyslogd is not installed; a receiver of the tests' own stands in for it elsewhere")
    made = tmp_path / "rsyslog"
    made.mkdir()
    return made


@pytest.fixture(params=["tcp", "gtls", "ossl"])
def daemon(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Rsyslog, str]]:
    if request.param == "tcp":
        made, options = Rsyslog(folder, PLAIN), ""
    else:
        authority = trustme.CA()
        ours = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        ours.private_key_pem.write_to_path(str(folder / "key.pem"))
        ours.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
        made, options = Rsyslog(folder, TLS, request.param), f"?ca={folder}/ca.pem"
    made.start()
    yield made, f"syslog+{'tcp' if request.param == 'tcp' else 'tls'}://127.0.0.1:{made.port}{options}"
    made.stop()


def test_rsyslog_gets_every_event_in_order_although_it_is_stopped_and_started(
    daemon: tuple[Rsyslog, str], tmp_path: Path
) -> None:
    server, address = daemon
    shipping = Shipping(tmp_path, open_sinks([address], Means({}, 5.0)), Terms(grace=20.0))
    shipping.start()
    trail = write_events(tmp_path, 50)
    wait_for(lambda: orjson.loads((tmp_path / "shipped/syslog.json").read_bytes())["n"] == 50)
    server.stop()
    for number in range(51, 91):
        trail.append("batch.answered", batch=number, answer="Accepted", status=201)
    server.start()
    trail.append("run.finished", status="FAILED", exit_code=3, error="ünïcode ☎")
    trail.close()
    (standing,) = shipping.finish(while_moving=True)
    assert (standing.waiting, standing.reason) == (0, "")
    wait_for(lambda: len(server.lines()) >= 91, 20)
    bodies = [line.split(" ", 5) for line in server.lines()]
    assert [line.split("] ", 1)[1].encode() for line in server.lines()] == (
        tmp_path / "audit.jsonl"
    ).read_bytes().splitlines()
    assert bodies[-1][:4] == ["107", "dialfeed", "20260101T000000Z-abc123", "run.finished"]
