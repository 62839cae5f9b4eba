"""The cutter against a plain automaton that reads one byte after the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.sources import records
from dialfeed.sources.bitmaps import SLICE
from dialfeed.sources.records import BLANK, BROKEN_QUOTES, NUL_BYTE, SOUND, TOO_LARGE

Facts = tuple[bytes, int, int | None]
"""Text of a record, verdict, and number of cells if sound."""

UGLY = st.lists(st.sampled_from([b'"', b'"', b",", b"\n", b"\r", b"\r\n", b'",', b',"', b'"\n', b"\0", b"a"])).map(
    b"".join
)
PLAIN_RUN = st.integers(0, 200).map(lambda count: b"a" * count)
LONG = st.lists(st.one_of(UGLY, PLAIN_RUN), max_size=12).map(b"".join)


def test_a_text_is_cut_as_an_automaton_cuts_it() -> None:
    @settings(max_examples=200, deadline=None)
    @given(LONG, st.integers(1, 300))
    def check(text: bytes, limit: int) -> None:
        assert facts(text, limit) == list(automaton(text, limit))

    check()


def test_the_records_cover_the_text_without_gaps() -> None:
    @settings(max_examples=150, deadline=None)
    @given(LONG, st.integers(1, 300))
    def check(text: bytes, limit: int) -> None:
        cut = records.cut(text, delimiter=ord(","), limit=limit, at_end=True)
        assert [0, *cut.nexts.tolist()] == [*cut.starts.tolist(), len(text)]
        assert all(
            text[end:after] in {b"\n", b"\r\n", b"\r", b""} for end, after in zip(cut.ends, cut.nexts, strict=True)
        )

    check()


def test_what_is_decided_in_a_part_of_the_text_stays_so_in_the_whole() -> None:
    @settings(max_examples=200, deadline=None)
    @given(LONG, st.integers(1, 300), st.data())
    def check(text: bytes, limit: int, data: st.DataObject) -> None:
        known = text[: data.draw(st.integers(0, len(text)))]
        window = known[: records.last_line_end(known)]
        cut = records.cut(window, delimiter=ord(","), limit=limit, at_end=False, following=len(known) - len(window))
        decided = as_facts(window, cut)
        assert decided == list(automaton(text, limit))[: len(decided)]

    check()


def test_the_first_record_alone_is_cut_as_the_first_of_many() -> None:
    @settings(max_examples=200, deadline=None)
    @given(LONG.filter(bool), st.integers(1, 300))
    def check(text: bytes, limit: int) -> None:
        alone = records.cut_first(text, delimiter=ord(","), limit=limit, at_end=True)
        many = records.cut(text, delimiter=ord(","), limit=limit, at_end=True)
        assert as_facts(text, alone) == list(automaton(text, limit))[:1]
        assert alone.consumed == int(many.nexts[0])

    check()


def test_the_first_record_alone_is_decided_only_when_nothing_can_change_it() -> None:
    @settings(max_examples=200, deadline=None)
    @given(LONG, st.integers(1, 300), st.data())
    def check(text: bytes, limit: int, data: st.DataObject) -> None:
        known = text[: data.draw(st.integers(0, len(text)))]
        if window := known[: records.last_line_end(known)]:
            following = len(known) - len(window)
            cut = records.cut_first(window, delimiter=ord(","), limit=limit, at_end=False, following=following)
            assert as_facts(window, cut) in [[], list(automaton(text, limit))[:1]]

    check()


@pytest.mark.parametrize(
    ("known", "decided"),
    [
        (b'a,"b\n', 0),
        (b'a,"b\nc\n', 0),
        (b'a,"b\nc""\n', 0),
        (b'a,"b\nc"d\n', 2),
        (b'a,"b\nc"d"e\n', 2),
        (b'a,b"\n', 1),
        (b'a,"b\nc"\n', 1),
        (b'a,b\nc,"d\n', 1),
        (b'a,"b\n' + b"c,d\n" * 30, 31),
    ],
)
def test_a_record_is_decided_as_soon_as_it_can_be(known: bytes, decided: int) -> None:
    assert len(records.cut(known, delimiter=ord(","), limit=100, at_end=False)) == decided
    assert len(records.cut_first(known, delimiter=ord(","), limit=100, at_end=False)) == min(1, decided)


def test_no_more_lines_are_cut_at_once_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LINES", 100)
    for line_end in (b"\n", b"\r", b"\r\n"):
        cut = records.cut((b"a" + line_end) * 1_000, delimiter=ord(","), limit=100, at_end=True)
        assert 36 < len(cut) <= 100
        assert cut.consumed == len(cut) * (1 + len(line_end))


def test_a_record_of_too_many_lines_to_be_cut_with_others_is_left_to_be_cut_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MAX_LINES", 64)
    text = b'a,"' + b"\n" * 200 + b'"\n' + b"c,d\n" * 400
    assert len(records.cut(text, delimiter=ord(","), limit=204, at_end=True)) == 0
    assert as_facts(text, records.cut_first(text, delimiter=ord(","), limit=204, at_end=True)) == [
        (text[:204], SOUND, 2)
    ]


@pytest.mark.parametrize("text", [b'1,"a\nbc"\n2,d\n', b'1,"a\r\nbc"\r\n2,d', b'"a\rb\rc"\r"d', b"a,bcdef\r\n2,d\n"])
def test_the_limit_is_exact_and_no_record_is_given_up_before_it(text: bytes) -> None:
    for limit in range(1, 12):
        expected = list(automaton(text, limit))
        assert facts(text, limit) == expected
        for length in range(len(text)):
            window = text[: records.last_line_end(text[:length])]
            for cutter in (records.cut, records.cut_first) if window else ():
                following = length - len(window)
                cut = cutter(window, delimiter=ord(","), limit=limit, at_end=False, following=following)
                assert as_facts(window, cut) == expected[: len(cut)]


def test_a_lone_quote_in_each_line_costs_only_those_lines() -> None:
    text = b'1,5" pipe\n2,ok\n' * 500
    assert [verdict for _, verdict, _ in facts(text, 100)] == [BROKEN_QUOTES, SOUND] * 500


@pytest.mark.parametrize("size", [63, 64, 65, 127, 128, 129, SLICE - 1, SLICE, SLICE + 1])
def test_borders_of_words_and_slices_are_no_borders_of_meaning(size: int) -> None:
    for at in range(size - 3, size + 2):
        text = b"a" * (at - 2) + b',"x","y\n""z"\r\n' + b"b,c,d\r\n"
        assert facts(text, 1 << 20) == list(automaton(text, 1 << 20))


def test_a_text_of_odd_lines_only_is_cut_in_linear_time() -> None:
    """Each line opens a quoted cell that the next line breaks; no line is read again and again."""
    text = b'a,"b\n' * 50_000
    cut = records.cut(text, delimiter=ord(","), limit=1 << 26, at_end=True)
    assert len(cut) == 50_000
    assert set(cut.verdicts.tolist()) == {BROKEN_QUOTES}


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", 0),
        (b"a", 0),
        (b"a\n", 2),
        (b"a\nb", 2),
        (b"a\r", 0),
        (b"a\rb", 2),
        (b"a\r\nb", 3),
        (b"a\r\n\r", 3),
        (b"\n\rx", 2),
    ],
)
def test_the_last_line_end_is_one_that_nothing_can_change(text: bytes, end: int) -> None:
    assert records.last_line_end(text) == end


@pytest.mark.parametrize(
    ("text", "delimiters"),
    [
        (b"", 0),
        (b"a,b\n", 1),
        (b"a,b\nc,d", 2),
        (b"a,b\r\nc,d\r\n", 2),
        (b"a\n\nb\n", 0),
        (b"a,b\rc,d\r", None),
        (b"a,b\r\r\n", None),
        (b"a,b\r", None),
        (b'a,"b"\n', None),
        (b"a,\0\n", None),
    ],
)
def test_only_a_text_without_any_doubt_is_plain(text: bytes, delimiters: int | None) -> None:
    assert records.plain_delimiters(text, delimiter=ord(",")) == delimiters


@pytest.mark.parametrize("doubt", [b'"', b"\0", b"\rb", b"\r"])
@pytest.mark.parametrize("before", [SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
def test_a_doubt_anywhere_is_a_doubt(before: int, doubt: bytes) -> None:
    assert records.plain_delimiters(b"," * before + doubt, delimiter=ord(",")) is None
    assert records.plain_delimiters(b"," * before + b"\r\n,", delimiter=ord(",")) == before + 1


def facts(text: bytes, limit: int) -> list[Facts]:
    """What the cutter says of a whole text."""
    return as_facts(text, records.cut(text, delimiter=ord(","), limit=limit, at_end=True))


def as_facts(text: bytes, cut: records.Records) -> list[Facts]:
    columns = (cut.starts.tolist(), cut.ends.tolist(), cut.verdicts.tolist(), cut.cells.tolist())
    return [
        (text[start:end], verdict, cells if verdict == SOUND else None)
        for start, end, verdict, cells in zip(*columns, strict=True)
    ]


def automaton(text: bytes, limit: int) -> list[Facts]:
    """The grammar in the docstring of `records`, word by word."""
    found: list[Facts] = []
    start = 0
    while start < len(text):
        line, line_after = physical_line(text, start)
        whole = read_record(text, start)
        if len(line) > limit:
            found.append((line, TOO_LARGE, None))
            start = line_after
        elif whole is None or whole[0] - start > limit:
            found.append((line, BROKEN_QUOTES, None))
            start = line_after
        else:
            end, after, cells = whole
            record = text[start:end]
            verdict = BLANK if not record else NUL_BYTE if b"\0" in record else SOUND
            found.append((record, verdict, cells if verdict == SOUND else None))
            start = after
    return found


def physical_line(text: bytes, start: int) -> tuple[bytes, int]:
    end = start
    while end < len(text) and text[end : end + 1] not in b"\r\n":
        end += 1
    return text[start:end], after_line_end(text, end)


def after_line_end(text: bytes, end: int) -> int:
    return end + (2 if text[end : end + 2] == b"\r\n" else 1 if end < len(text) else 0)


def read_record(text: bytes, start: int) -> tuple[int, int, int] | None:
    """End, start of the next record and number of cells; `None` if the quotes are broken."""
    here, cells = start, 1
    while True:
        cell_end = read_quoted(text, here + 1) if text[here : here + 1] == b'"' else read_bare(text, here)
        if cell_end is None:
            return None
        if text[cell_end : cell_end + 1] == b",":
            here, cells = cell_end + 1, cells + 1
        elif cell_end == len(text) or text[cell_end : cell_end + 1] in b"\r\n":
            return cell_end, after_line_end(text, cell_end), cells
        else:
            return None


def read_quoted(text: bytes, here: int) -> int | None:
    while (quote := text.find(b'"', here)) >= 0:
        if text[quote + 1 : quote + 2] != b'"':
            return quote + 1
        here = quote + 2
    return None


def read_bare(text: bytes, here: int) -> int | None:
    while here < len(text) and text[here : here + 1] not in b",\r\n":
        if text[here : here + 1] == b'"':
            return None
        here += 1
    return here
