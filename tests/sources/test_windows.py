"""What windows over blocks add up to."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.sources import records
from dialfeed.sources.windows import Window, Windows

BITS = [b'"', b",", b"\n", b"\r", b"\r\n", b'",', b',"', b'"\n', b"a", b"aaaaaaaa"]
BLOCKS = st.lists(st.lists(st.sampled_from(BITS), max_size=12).map(b"".join), max_size=8)


def test_records_do_not_depend_on_where_a_block_ends() -> None:
    @settings(max_examples=250, deadline=None)
    @given(BLOCKS, st.integers(2, 40), st.integers(1, 60))
    def check(blocks: list[bytes], step: int, limit: int) -> None:
        text = b"".join(blocks)
        whole = records.cut(text, delimiter=ord(","), limit=limit, at_end=True)
        verdicts = [verdict for verdict, _ in cut_all(Windows(iter(blocks), step=step, limit=limit), limit)]
        assert verdicts == whole.verdicts.tolist()

    check()


def test_a_line_far_too_long_is_one_record_wherever_a_block_ends() -> None:
    text = b"a\n" + b"b" * 40 + b"\r\nc\n" + b'"d' * 20 + b"\re"
    for size in range(1, len(text)):
        blocks = [text[start : start + size] for start in range(0, len(text), size)]
        cut = list(cut_all(Windows(iter(blocks), step=4, limit=10), 10))
        large = records.TOO_LARGE
        assert [verdict for verdict, _ in cut] == [records.SOUND, large, records.SOUND, large, records.SOUND]


def test_a_line_without_end_takes_no_more_memory_than_a_record_may() -> None:
    windows = Windows((b"a" * 100 for _ in range(1_000)), step=200, limit=1_000)
    held = [len(text) for _, text in cut_all(windows, 1_000)]
    assert len(held) == 1
    assert held[0] <= 1_001 + 100


def test_an_open_quote_takes_no_more_memory_than_a_record_may() -> None:
    """The record is given up, and its lines are passed on, long before the end of the stream."""
    read = 0

    def blocks() -> Iterator[bytes]:
        nonlocal read
        yield b'a,"b\n'
        for _ in range(1_000):
            read += 1
            yield b"c,d\n" * 25

    windows = Windows(blocks(), step=200, limit=1_000)
    first = next(cut_all(windows, 1_000))
    assert first[0] == records.BROKEN_QUOTES
    assert read < 30


def cut_all(windows: Windows, limit: int) -> Iterator[tuple[int, bytes]]:
    """Verdict and text of each record."""
    for window in windows:
        cut = cut_one(window, limit)
        windows.consume(cut.consumed)
        for start, end, verdict in zip(cut.starts.tolist(), cut.ends.tolist(), cut.verdicts.tolist(), strict=True):
            yield verdict, window.text[start:end]


def cut_one(window: Window, limit: int) -> records.Records:
    cutter = records.cut_first if window.first_only else records.cut
    return cutter(window.text, delimiter=ord(","), limit=limit, at_end=window.at_end, following=window.following)
