"""A run's audit trail at its sinks: sent as the run goes, waiting where a sink is away, sent later by command."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import command
import orjson
import pytest
from crash_world import crash_world
from sink_servers import KEY, Receiver, postgresql
from tenant import Tenant
from waiting import wait_for
from webhook_receiver import WebhookReceiver
from weed import free_ports

from dialfeed.sandbox import FaultPlan

CONTACTS = "phone,First Name\n+12025550123,Ada\n+12025550124,Bob\n+12025550123,Ada\n5,Eve\n"
AS_THEY_ARE = ("--set", "doNotCall=false", "--set", "doNotEmail=false", "--max-rejected", "90%")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with postgresql() as made:
        yield made


def trail(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "audit.jsonl").read_bytes().splitlines()]


def test_a_run_is_at_its_sink_when_it_ends(tenant: Tenant, receiver: Receiver) -> None:
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", receiver.address, *AS_THEY_ARE, "--json")
    assert done.code == 4, done.err
    told = receiver.events
    assert told == trail(tenant.folder / "run")
    assert told[-1]["event"] == "run.finished"
    assert told[-1]["hash"] == done.json["audit_hash"]
    (sink,) = done.json["sinks"]
    assert (sink["name"], sink["waiting"], sink["acknowledged"]) == ("postgresql", 0, len(told))
    assert sink["hash"] == done.json["audit_hash"]


def test_a_sink_that_is_away_changes_nothing_but_a_finding(tenant: Tenant, receiver: Receiver) -> None:
    receiver.stop()
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", receiver.address, *AS_THEY_ARE, "--json")
    assert done.code == 4, done.err
    (finding,) = [each for each in done.json["findings"] if each["code"] == "sink.waiting"]
    assert finding["remedy"] == f"`dialfeed audit ship {done.json['run']}` sends what waits."
    receiver.start()
    shipped = tenant.run("audit", "ship", done.json["run"], "--json")
    assert shipped.code == 0, shipped.out + shipped.err
    assert receiver.events == trail(tenant.folder / "run")


def test_all_runs_are_shipped_to_the_sinks_they_began_with(tenant: Tenant, receiver: Receiver) -> None:
    receiver.stop()
    for name in ("one", "two"):
        tenant.import_file(
            tenant.write(CONTACTS), "--sink", receiver.address, "--insist", "all", *AS_THEY_ARE,
            "--run-dir", tenant.folder / name,
        )  # fmt: skip
    still = tenant.run("audit", "ship", "--all", "--patience", "0")
    assert (still.code, still.out.count("events wait")) == (3, 2)
    receiver.start()
    assert tenant.run("audit", "ship", "--all").code == 0
    assert len(receiver.events) == len(trail(tenant.folder / "one")) + len(trail(tenant.folder / "two"))


def test_a_rehearsal_sends_nothing_to_a_sink(tenant: Tenant, receiver: Receiver) -> None:
    flags = ("--sink", receiver.address, *AS_THEY_ARE, "--dry-run")
    assert tenant.import_file(tenant.write(CONTACTS), *flags).code == 4
    assert not (tenant.folder / "run/shipped").exists()


@pytest.mark.parametrize(
    ("address", "word"),
    [("postgresql://audit:s3cr3t-m4rk@127.0.0.1/test", "PASSWORD"), ("gopher://s3cr3t-m4rk", "of no kind")],
)
def test_a_wrong_address_is_told_before_the_run_starts(tenant: Tenant, address: str, word: str) -> None:
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", address)
    assert (done.code, word in done.err) == (1, True)
    assert "s3cr3t-m4rk" not in done.out + done.err
    assert not (tenant.folder / "run").exists()


def test_ship_says_what_it_needs(tenant: Tenant) -> None:
    assert tenant.run("audit", "ship").code == 1
    assert tenant.run("audit", "ship", "no-such-run").code == 1
    assert tenant.run("audit", "ship", "--all").out == "No run has a sink.\n"


# --- whatever happens, over a webhook -----------------------------------------------------------------------------

SECRET = {"DIALFEED_SINK_WEBHOOK_SECRET": KEY.decode()}


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    server = WebhookReceiver(KEY)
    yield server
    assert not server.forged
    server.close()


def address(hook: WebhookReceiver) -> str:
    return f"http://127.0.0.1:{hook.port}/audit"


def test_a_run_whose_secret_is_gone_holds_up_no_other(tenant: Tenant, hook: WebhookReceiver) -> None:
    hook.answer = lambda _: (503, {})
    for name in ("first", "second"):
        secret = {f"DIALFEED_SINK_{name.upper()}_SECRET": KEY.decode()}
        flags = ("--sink", f"{address(hook)}#{name}", "--sink-grace", "0.2", "--insist", "all", *AS_THEY_ARE)
        tenant.import_file(tenant.write(CONTACTS), *flags, "--run-dir", tenant.folder / name, **secret)
    hook.answer = lambda _: (204, {})
    told = tenant.run("audit", "ship", "--all", DIALFEED_SINK_SECOND_SECRET=KEY.decode())
    assert told.code == 1
    assert "Run first" in told.err
    assert "DIALFEED_SINK_FIRST_SECRET" in told.err
    assert set((tenant.folder / "second/audit.jsonl").read_bytes().splitlines()) <= set(hook.lines)


def first_of_each(hook: WebhookReceiver) -> list[bytes]:
    return list(dict.fromkeys(hook.lines))


def test_a_run_that_is_killed_while_it_ships_is_shipped_by_command(hook: WebhookReceiver, tmp_path: Path) -> None:
    with crash_world(tmp_path, FaultPlan(), contacts=2500) as world:
        world.sandbox.configure(latency_s=0.05)
        env = {**world.env, **SECRET}
        process = command.start(*world.import_arguments, "--sink", address(hook), env=env)
        wait_for(lambda: any(b'"batch.sent"' in line for line in hook.lines))
        process.kill()
        process.communicate()
        trail = world.run_dir / "audit.jsonl"
        with trail.open("ab") as file:
            file.write(b'{"n":99,"time":"20')  # as a power failure leaves it
        shipped = command.run("audit", "ship", world.run_dir, "--json", env=env)
        assert (shipped.code, shipped.json[0]["waiting"]) == (0, 0)
        whole = trail.read_bytes().splitlines()[:-1]
        assert first_of_each(hook) == whole
        world.sandbox.configure(latency_s=0.0)
        assert command.run(*world.resume_arguments, env=env).code == 0
        assert first_of_each(hook) == trail.read_bytes().splitlines(), "the resumed run goes on where it was"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_a_signal_ends_tells_so(
    hook: WebhookReceiver, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with crash_world(tmp_path, FaultPlan(), contacts=2500) as world:
        world.sandbox.configure(latency_s=0.05)
        process = command.start(*world.import_arguments, "--sink", address(hook), env={**world.env, **SECRET})
        wait_for(lambda: any(b'"batch.sent"' in line for line in hook.lines))
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == code, err
        assert hook.deliveries[-1].body["type"] == "run.finished"
        assert hook.deliveries[-1].body["data"]["status"] == "INTERRUPTED"


def test_two_commands_that_ship_at_once_send_each_event_once(tenant: Tenant, hook: WebhookReceiver) -> None:
    hook.answer = lambda _: (503, {})
    tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), *AS_THEY_ARE, **SECRET)
    hook.answer = lambda _: (204, {})
    run = tenant.folder / "run"
    both = [command.start("audit", "ship", run, env={**tenant.env, **SECRET}) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].count("has everything") for process in both] == [1, 1]
    assert hook.lines == (run / "audit.jsonl").read_bytes().splitlines()


def test_a_run_that_fails_tells_so(tenant: Tenant, hook: WebhookReceiver) -> None:
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), "--set", "doNotCall=false", **SECRET)
    assert done.code == 1
    assert (hook.deliveries[-1].body["type"], hook.deliveries[-1].body["data"]["status"]) == ("run.finished", "FAILED")


def test_a_sink_that_hangs_is_not_waited_for_beyond_its_grace(tenant: Tenant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        where = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        flags = ("--sink", where, "--sink-grace", "0.3", "--sink-timeout", "60", *AS_THEY_ARE, "--json")
        done = tenant.import_file(tenant.write(CONTACTS), *flags, **SECRET)
    assert done.code == 4
    (sink,) = done.json["sinks"]
    assert (sink["acknowledged"], sink["reason"]) == (0, "it does not answer")


def test_what_a_sink_refuses_is_told_and_sent_again_by_command(tenant: Tenant, hook: WebhookReceiver) -> None:
    def picky(body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        return (422 if any(event["event"] == "list.found" for event in body["data"]["events"]) else 204), {}

    hook.answer = picky
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), *AS_THEY_ARE, "--json", **SECRET)
    (finding,) = [each for each in done.json["findings"] if each["code"] == "sink.refused"]
    assert (done.code, finding["remedy"]) == (
        4,
        f"`dialfeed audit ship {done.json['run']} --again` sends it once more.",
    )
    assert tenant.run("audit", "ship", done.json["run"], **SECRET).code == 4
    hook.answer = lambda _: (204, {})
    assert tenant.run("audit", "ship", done.json["run"], "--again", **SECRET).code == 0
    assert sorted(hook.lines) == sorted((tenant.folder / "run/audit.jsonl").read_bytes().splitlines())


def test_what_a_retry_adds_to_the_trail_of_its_run_is_sent_too(tenant: Tenant, hook: WebhookReceiver) -> None:
    first = tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), *AS_THEY_ARE, "--json", **SECRET)
    mended = tenant.folder / "run/rejected.csv"
    mended.write_text(
        mended.read_text("utf-8").replace(",5,", ",+12025550199,").replace("\n5,", "\n+12025550199,"), "utf-8"
    )
    assert tenant.run("retry", first.json["run"], mended, "--json", **SECRET).json["rows"]["delivered"] == 1
    lines = [line for line in hook.lines if orjson.loads(line)["run"] == first.json["run"]]
    assert lines == (tenant.folder / "run/audit.jsonl").read_bytes().splitlines()
    assert orjson.loads(lines[-1])["event"] == "rows.retried"


def test_a_trail_that_lacks_what_a_sink_has_does_not_hold(tenant: Tenant, hook: WebhookReceiver) -> None:
    tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), *AS_THEY_ARE, **SECRET)
    run = tenant.folder / "run"
    assert tenant.run("audit", "verify", run).code == 0
    lines = (run / "audit.jsonl").read_bytes().splitlines(keepends=True)
    (run / "audit.jsonl").write_bytes(b"".join(lines[:-2]))
    (run / "summary.json").unlink()  # whoever cuts the end off can do that as well
    found = tenant.run("audit", "verify", run, "--json")
    assert (found.code, found.json["first_bad_line"]) == (7, len(lines) - 1)
    shipped = tenant.run("audit", "ship", run, **SECRET)
    assert (shipped.code, "no longer goes on" in shipped.out) == (3, True)


def test_no_secret_of_a_sink_is_told_anywhere(tenant: Tenant) -> None:
    mark = "s3cr3t-m4rk-of-a-sink-that-is-long-enough"
    secrets = {
        "DIALFEED_SINK_POSTGRESQL_PASSWORD": mark, "DIALFEED_SINK_MYSQL_PASSWORD": mark,
        "DIALFEED_SINK_S3_ACCESS_KEY_ID": mark, "DIALFEED_SINK_S3_SECRET_ACCESS_KEY": mark,
        "DIALFEED_SINK_WEBHOOK_SECRET": mark, "DIALFEED_SINK_WEBHOOK_TOKEN": mark, "DIALFEED_SINK_WEBHOOK_QUERY": mark,
    }  # fmt: skip
    hook = WebhookReceiver(mark.encode())
    hook.answer = lambda _: (500, {})
    closed = free_ports(1)[0]
    sinks = (
        f"postgresql://audit@127.0.0.1:{closed}/audit", f"mysql://audit@127.0.0.1:{closed}/audit",
        f"s3://bucket/x?endpoint=http://127.0.0.1:{closed}", f"syslog+tls://127.0.0.1:{closed}", address(hook),
    )  # fmt: skip
    flags = [flag for sink in sinks for flag in ("--sink", sink)]
    done = tenant.import_file(tenant.write(CONTACTS), *flags, "--sink-grace", "1", *AS_THEY_ARE, "--json", **secrets)
    assert (done.code, len(done.json["sinks"])) == (4, 5)
    assert all(sink["waiting"] and sink["reason"] for sink in done.json["sinks"])
    shipped = tenant.run("audit", "ship", "--all", "--patience", "0", "--json", **secrets)
    assert shipped.code == 3
    hook.close()
    told = [done.out, done.err, shipped.out, shipped.err]
    told += [path.read_bytes().decode("utf-8", "replace") for path in tenant.folder.rglob("*") if path.is_file()]
    assert not [text for text in told if mark in text]


def test_the_sinks_of_a_profile_can_be_left_out(tenant: Tenant) -> None:
    profile = tenant.write('[profile.default]\nsinks = ["https://hooks.example/"]\n', "dialfeed.toml")
    flags = ("--config", profile, *AS_THEY_ARE)
    lacking = tenant.import_file(tenant.write(CONTACTS), *flags)
    assert (lacking.code, "DIALFEED_SINK_WEBHOOK_SECRET" in lacking.err) == (1, True)
    assert tenant.import_file(tenant.write(CONTACTS), *flags, "--sink", "none").code == 4
    checked = tenant.folder / "checked"
    assert tenant.run("validate", tenant.write(CONTACTS), *flags, "--run-dir", checked).code == 4


def test_what_a_later_verification_adds_is_sent_too(tenant: Tenant, hook: WebhookReceiver) -> None:
    tenant.import_file(tenant.write(CONTACTS), "--sink", address(hook), *AS_THEY_ARE, **SECRET)
    run = tenant.folder / "run"
    assert tenant.run("verify", run, **SECRET).code == 0
    assert hook.lines == (run / "audit.jsonl").read_bytes().splitlines()
    assert tenant.run("verify", run).code == 0, "also where the key is not at hand"
    assert tenant.run("audit", "ship", run, **SECRET).code == 0
    assert hook.lines == (run / "audit.jsonl").read_bytes().splitlines()


def test_the_doctor_looks_at_every_sink_and_sends_nothing(tenant: Tenant, receiver: Receiver) -> None:
    flags = ("--sink", receiver.address, "--sink", "https://127.0.0.1:9/hook#pager")
    told = tenant.run("doctor", "--json", *flags, DIALFEED_SINK_PAGER_SECRET=KEY.decode())
    assert told.code == 3
    checks = {each["name"]: each for each in told.json}
    assert checks["sink postgresql"]["good"]
    assert "made when the first event is sent" in checks["sink postgresql"]["told"]
    assert not checks["sink pager"]["good"]
    assert "audit ship" in checks["sink pager"]["remedy"]
    without = tenant.run("doctor", "--json", *flags)
    (mend,) = [each for each in without.json if not each["good"]]
    assert (without.code, mend["name"]) == (1, "sinks")
    assert "DIALFEED_SINK_PAGER_SECRET" in mend["remedy"]
    assert tenant.run("doctor", "--sink", receiver.address).code == 0


def test_a_sink_is_told_of_a_run_that_failed_at_once_and_the_run_is_kept(tenant: Tenant, receiver: Receiver) -> None:
    """Whoever waits for a nightly load must hear that its file is missing."""
    told = tenant.import_file(tenant.folder / "nowhere.csv", "--sink", receiver.address, "--json")
    assert told.code == 1
    assert receiver.events[-1]["status"] == "FAILED"
    assert (tenant.folder / "run" / "audit.jsonl").is_file()
