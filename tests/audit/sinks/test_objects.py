"""An object is made once and never changed; its name says which events are in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sink_servers import S3_SECRETS, Receiver, objects, s3, store, weed
from sink_world import RUN, write_events

from dialfeed.audit.sinks.base import Acknowledged, Event, Later, Reached, Sink, read_event
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.errors import FixSettings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with s3() as made:
        yield made


def prefix(receiver: Receiver) -> str:
    return receiver.address.partition("?")[0].rpartition("/")[2]


def sink(address: str, secrets: dict[str, str]) -> Sink:
    return open_sinks([address], Means(secrets, 5.0))[0].sink


def events(folder: Path, count: int) -> list[Event]:
    trail = write_events(folder, count)
    trail.append("run.finished", status="SUCCESS", exit_code=0)
    trail.close()
    read = [read_event(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    return [each for each in read if each is not None]


def test_names_say_which_events_are_in_an_object(receiver: Receiver, tmp_path: Path) -> None:
    told, to = events(tmp_path, 4), sink(receiver.address, receiver.secrets)
    assert (to.send(told[:2]), to.send(told[2:])) == (Acknowledged(2), Acknowledged(5))
    folder = f"{prefix(receiver)}/{RUN}"
    assert objects(weed().port, folder) == [
        f"{folder}/events/00000001-00000002-{told[1].hash[:16]}.jsonl",
        f"{folder}/events/00000003-00000005-{told[4].hash[:16]}.jsonl",
        f"{folder}/summary/00000005-{told[4].hash[:16]}.json",
    ]
    summary = bytes(store(weed().port).get(objects(weed().port, f"{folder}/summary")[0]).bytes())
    assert orjson.loads(summary)["status"] == "SUCCESS"


def test_an_object_that_is_there_is_not_written_again(receiver: Receiver, tmp_path: Path) -> None:
    told, to = events(tmp_path, 2), sink(receiver.address, receiver.secrets)
    to.send(told)
    (name,) = objects(weed().port, f"{prefix(receiver)}/{RUN}/events")
    before = store(weed().port).head(name)
    assert to.send(told) == Acknowledged(3)
    assert store(weed().port).head(name) == before


@pytest.mark.parametrize(
    "secrets",
    [
        {**S3_SECRETS, "DIALFEED_SINK_S3_SECRET_ACCESS_KEY": "s3cr3t-m4rk"},
        {**S3_SECRETS, "DIALFEED_SINK_S3_ACCESS_KEY_ID": "s3cr3t-m4rk"},
    ],
)
def test_wrong_keys_are_told_without_them(receiver: Receiver, tmp_path: Path, secrets: dict[str, str]) -> None:
    answer = sink(receiver.address, secrets).send(events(tmp_path, 1))
    assert answer == Later("the storage refuses the sign-in or the right")


def test_half_of_the_keys_is_told_before_the_run() -> None:
    with pytest.raises(FixSettings, match="DIALFEED_SINK_S3_ACCESS_KEY_ID and DIALFEED_SINK_S3_SECRET_ACCESS_KEY"):
        sink("s3://bucket/prefix", {"DIALFEED_SINK_S3_ACCESS_KEY_ID": "x"})


def test_a_bucket_that_is_not_there_is_told(receiver: Receiver) -> None:
    """A probe asks for an object that is not there either, and tells the one from the other."""
    assert isinstance(sink(receiver.address, receiver.secrets).probe(), Reached)
    elsewhere = sink(receiver.address.replace("s3://", "s3://not-there-", 1), receiver.secrets)
    assert elsewhere.probe() == Later("there is no such bucket")


def test_a_probe_with_wrong_keys_is_told_as_that(receiver: Receiver) -> None:
    wrong = {**receiver.secrets, "DIALFEED_SINK_S3_SECRET_ACCESS_KEY": "wrong-key-of-nobody"}
    told = sink(receiver.address, wrong).probe()
    assert told == Later("the storage refuses the sign-in or the right")
