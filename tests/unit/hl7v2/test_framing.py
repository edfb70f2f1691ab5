from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.framing import HEAD, Frame, Framer, Junk, Oversize, wrap

CAP = 64
#: streams rich in what frames are made of
PIECES = "0b 0b 1c 0d 0a 06 ef efbbbf 4d 4d5348 424853 6162".split()
STREAMS = st.lists(st.sampled_from([*map(bytes.fromhex, PIECES), b"x" * 40, b"y" * 100])).map(
    b"".join
)


def feed_all(*chunks: bytes, cap: int = CAP) -> list[Frame | Junk | Oversize]:
    framer = Framer(cap)
    return [piece for chunk in chunks for piece in framer.feed(chunk)]


def in_chunks(stream: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(stream[:size])
        stream = stream[size:]
    return [*chunks, stream]


@given(STREAMS, st.lists(st.integers(0, 50)))
def test_chunking_makes_no_difference(stream: bytes, sizes: list[int]) -> None:
    whole, cut = Framer(CAP), Framer(CAP)
    found = [piece for chunk in in_chunks(stream, sizes) for piece in cut.feed(chunk)]

    assert found == whole.feed(stream)
    assert (cut.inside, cut.partial, cut.held) == (whole.inside, whole.partial, whole.held)
    assert cut.fs_last == whole.fs_last
    assert cut.finish() == whole.finish()


@given(STREAMS)
def test_every_byte_is_reported_or_is_framing(stream: bytes) -> None:
    framer = Framer(10_000_000)
    sizes = [
        len(piece.body) if isinstance(piece, Frame) else piece.size
        for piece in [*framer.feed(stream), *framer.finish()]
    ]

    framing = sum(stream.count(byte) for byte in (b"\x0b", b"\x1c", b"\r", b"\n", b"\x06"))
    assert len(stream) - framing <= sum(sizes) <= len(stream)


ENDING = (b"\x1c\r", b"\x1c\n", b"\x1c\x0b")
BODIES = st.lists(st.sampled_from([b"\x1c", b"\x0b", b"\r", b"\n", b"M", b"text"])).map(b"".join)


def is_body(body: bytes) -> bool:
    """Whether a body holds nothing that ends its frame, and is no block of release 2."""
    return not any(end in body for end in ENDING) and body not in (b"\x06", b"\x15")


@given(st.lists((st.binary() | BODIES).filter(is_body)))
def test_what_is_wrapped_comes_out_again(bodies: list[bytes]) -> None:
    found = feed_all(b"".join(map(wrap, bodies)), cap=10_000_000)

    assert found == [Frame(body) for body in bodies]


def test_several_frames_in_one_packet_come_out_in_order() -> None:
    assert feed_all(wrap(b"a") + wrap(b"b")) == [Frame(b"a"), Frame(b"b")]


@pytest.mark.parametrize("end", [*ENDING, b"\x1c\n\r"])
def test_an_fs_before_cr_lf_or_vt_ends_its_frame(end: bytes) -> None:
    assert feed_all(b"\x0ba" + end + wrap(b"b").removeprefix(end[-1:])) == [
        Frame(b"a"),
        Frame(b"b"),
    ]


@pytest.mark.parametrize("text", [b"one\x1ctwo", b"\x1ctwo", b"\x1c\x1c.", b"\x1c \r", b"\x1c\0"])
def test_any_other_fs_is_text(text: bytes) -> None:
    body = b"MSH|NTE|" + text

    assert feed_all(wrap(body) + wrap(b"a")) == [Frame(body), Frame(b"a")]


def test_of_several_fs_the_last_ends_the_frame() -> None:
    assert feed_all(b"\x0ba\x1c\x1c\x1c\r" + wrap(b"b")) == [Frame(b"a\x1c\x1c"), Frame(b"b")]


def test_an_fs_that_comes_last_ends_the_frame_when_nothing_follows() -> None:
    framer = Framer(CAP)
    assert framer.feed(b"\x0ba\x1c") == []
    assert (framer.fs_last, framer.inside, framer.held) == (True, True, 2)
    assert framer.end_at_fs() == [Frame(b"a")]
    assert (framer.fs_last, framer.inside, framer.held) == (False, False, 0)
    assert framer.feed(b"\r" + wrap(b"b")) == [Frame(b"b")]


def test_an_fs_that_comes_last_is_text_when_more_of_the_frame_follows() -> None:
    framer = Framer(CAP)
    framer.feed(b"\x0ba\x1c")
    assert framer.feed(b"b") == []
    assert not framer.fs_last
    assert framer.end_at_fs() == []
    assert framer.feed(b"\x1c\r") == [Frame(b"a\x1cb")]


def test_an_fs_that_comes_last_ends_the_frame_when_the_stream_ends() -> None:
    framer = Framer(CAP)
    framer.feed(wrap(b"a") + b"\x0bb\x1c")

    assert framer.finish() == [Frame(b"b")]


def test_an_fs_of_a_frame_over_the_cap_ends_it_without_a_second_report() -> None:
    framer = Framer(CAP)
    assert framer.feed(b"\x0b" + b"x" * CAP + b"\x1cx") == [Oversize(b"x" * CAP + b"\x1c", CAP + 1)]
    assert framer.feed(b"\x1c") == framer.end_at_fs() == []
    assert framer.feed(wrap(b"a")) == [Frame(b"a")]


def test_junk_between_frames_is_reported_and_the_next_frame_is_read() -> None:
    assert feed_all(wrap(b"a") + b"noise" + wrap(b"b")) == [
        Frame(b"a"),
        Junk(b"noise", 5),
        Frame(b"b"),
    ]


def test_line_ends_between_frames_are_no_junk() -> None:
    assert feed_all(wrap(b"a") + b"\r\n\r\n" + wrap(b"b")) == [Frame(b"a"), Frame(b"b")]


@pytest.mark.parametrize("begin", [b"MSH|whole", b"\xef\xbb\xbfMSH|whole", b"FHS|", b"BHS|"])
def test_a_frame_that_begins_before_fs_drops_what_was_begun(begin: bytes) -> None:
    assert feed_all(b"\x0bMSH|half" + wrap(begin)) == [Junk(b"MSH|half", 8), Frame(begin)]


@pytest.mark.parametrize("text", [b"one\x0btwo", b"one\x0b", b"\x0b\x0b", b"\x0bMS\x0bMTH"])
def test_vt_inside_a_field_is_text(text: bytes) -> None:
    body = b"MSH|NTE|" + text

    assert feed_all(wrap(body) + wrap(b"a")) == [Frame(body), Frame(b"a")]


def test_a_doubled_vt_begins_one_frame() -> None:
    assert feed_all(b"\x0b" + wrap(b"MSH|a")) == [Frame(b"MSH|a")]


def test_a_transport_block_before_fs_drops_what_was_begun() -> None:
    assert feed_all(b"\x0bMSH|half" + wrap(b"\x06") + wrap(b"MSH|a")) == [
        Junk(b"MSH|half", 8),
        Frame(b"MSH|a"),
    ]


def test_an_empty_frame_is_one() -> None:
    assert feed_all(wrap(b"") + wrap(b"a") + wrap(b"")) == [Frame(b""), Frame(b"a"), Frame(b"")]


def test_what_may_begin_a_frame_is_counted_as_held_until_it_is_decided() -> None:
    framer = Framer(CAP)
    framer.feed(b"\x0bMSH|half\x0bMS")

    assert framer.held == 11
    assert framer.finish() == [Junk(b"MSH|half\x0bMS", 11)]
    assert framer.held == 0


def test_a_giant_may_hold_vt_and_a_frame_may_begin_within_it() -> None:
    stream = b"\x0b" + b"x" * CAP + b"\x0b" * 9 + wrap(b"MSH|a")

    assert feed_all(stream) == [Oversize(b"x" * CAP + b"\x0b", CAP + 1), Frame(b"MSH|a")]


def test_junk_without_end_is_reported_before_a_frame_begins() -> None:
    framer = Framer(CAP)

    assert framer.feed(b"j" * (HEAD + 1)) == [Junk(b"j" * HEAD, HEAD)]
    assert framer.partial
    assert framer.finish() == [Junk(b"j", 1)]


def test_the_cap_strikes_while_the_frame_is_still_being_read() -> None:
    framer = Framer(CAP)

    assert framer.feed(b"\x0b" + b"x" * CAP) == []
    assert framer.feed(b"x") == [Oversize(b"x" * (CAP + 1), CAP + 1)]
    assert framer.feed(b"x" * 1000 + b"\x1c\r" + wrap(b"next")) == [Frame(b"next")]


def test_a_frame_of_exactly_the_cap_is_taken() -> None:
    assert feed_all(wrap(b"x" * CAP)) == [Frame(b"x" * CAP)]


def test_the_head_of_an_oversize_frame_is_its_first_4096_bytes() -> None:
    body = bytes(range(32, 127)) * 100

    [piece] = feed_all(b"\x0b" + body, cap=5000)

    assert piece == Oversize(body[:HEAD], 5001)


@pytest.mark.parametrize("block", [b"\x0b\x06\x1c\r", b"\x0b\x15\x1c\r"])
def test_transport_acknowledgments_of_release_2_are_passed_over(block: bytes) -> None:
    assert feed_all(block + wrap(b"a") + block) == [Frame(b"a")]


def test_a_frame_under_way_is_known_and_reported_when_the_stream_ends() -> None:
    framer = Framer(CAP)
    framer.feed(b"\x0bhalf")

    assert framer.inside
    assert framer.partial
    assert framer.finish() == [Junk(b"half", 4)]
    assert not framer.partial


def test_a_line_end_that_comes_alone_belongs_to_the_junk_before_it() -> None:
    whole, cut = Framer(CAP), Framer(CAP)
    assert whole.feed(b"junk\r") == cut.feed(b"junk") + cut.feed(b"\r") == []
    assert whole.finish() == cut.finish() == [Junk(b"junk\r", 5)]
