"""A cause as people read it: nothing of a patient unless it may be shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.causes import (
    EXPLANATIONS,
    MASK,
    Cause,
    CauseKind,
    action,
    domain,
    masked_key,
    sentence,
)
from bridge.message import Verdict

PEOPLE = {"key": "patients/4711", "said": "Meera Nair is unknown", "sent": "Meera Nair"}


@pytest.mark.parametrize("kind", CauseKind)
def test_no_number_of_a_record_and_no_foreign_text_is_shown_unless_revealed(
    kind: CauseKind,
) -> None:
    shown = sentence(Cause(kind, **PEOPLE), reveal=False) + action(Cause(kind, **PEOPLE))
    assert "4711" not in shown
    assert "Meera" not in shown


@pytest.mark.parametrize(
    ("cause", "masked", "revealed"),
    [
        (
            Cause(CauseKind.INCOMPLETE, fields=("uhid", "phoneNumber")),
            "incomplete: uhid, phoneNumber",
            "incomplete: uhid, phoneNumber",
        ),
        (
            Cause(CauseKind.WAITS_FOR_RECORD, key="patients/4711"),
            f"waits for patients/{MASK}, which has not come yet",
            "waits for patients/4711, which has not come yet",
        ),
        (
            Cause(CauseKind.REFUSED_FIELDS, fields=("uhid",), said="uhid: 4711 is taken"),
            f"refused as invalid: uhid “{MASK}”",
            "refused as invalid: uhid “uhid: 4711 is taken”",
        ),
        (Cause(CauseKind.REFUSED_FIELDS), "refused as invalid", "refused as invalid"),
        (
            Cause(CauseKind.REFUSED, name="unexpected answer", code="418", said="a teapot"),
            f"unexpected answer (418): “{MASK}”",
            "unexpected answer (418): “a teapot”",
        ),
        (
            Cause(CauseKind.CONFLICT_ISSUER, issuer="CITY"),
            "conflict: this id was issued by 'CITY' and now comes from nobody named",
            "conflict: this id was issued by 'CITY' and now comes from nobody named",
        ),
        (
            Cause(CauseKind.MERGED, number=1, name="kept"),
            "1 visit re-pointed, the previous record is kept; visits that the bridge has not seen "
            "are unknown to it",
            "1 visit re-pointed, the previous record is kept; visits that the bridge has not seen "
            "are unknown to it",
        ),
        (
            Cause(CauseKind.REFUSED_AT_DOOR, path="MSH-12", name="version", code="203"),
            "MSH-12: version (error 203)",
            "MSH-12: version (error 203)",
        ),
        (Cause(CauseKind.REFUSED_AT_DOOR, name="no JSON"), "no JSON", "no JSON"),
    ],
)
def test_a_sentence_names_what_there_is(cause: Cause, masked: str, revealed: str) -> None:
    assert sentence(cause, reveal=False) == masked
    assert sentence(cause, reveal=True) == revealed


@pytest.mark.parametrize("kind", CauseKind)
def test_who_must_act_has_something_to_do(kind: CauseKind) -> None:
    if EXPLANATIONS[kind].by is not None:
        assert action(Cause(kind))


def test_the_cause_says_who_must_act_where_its_kind_does_not() -> None:
    assert domain(Cause(CauseKind.REFUSED)) is Verdict.ZAUTO
    assert domain(Cause(CauseKind.REFUSED, by=Verdict.HOSPITAL)) is Verdict.HOSPITAL
    assert domain(Cause(CauseKind.NOTHING_CHANGED)) is None


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("patients/P1", f"patients/{MASK}"),
        ("Patient/a/b", f"Patient/{MASK}"),
        ("codes/gender/W", f"codes/gender/{MASK}"),
        ("", ""),
    ],
)
def test_a_key_shows_its_kind(key: str, shown: str) -> None:
    assert masked_key(key) == shown


CAUSES = st.builds(
    Cause,
    kind=st.sampled_from(CauseKind),
    fields=st.lists(st.text(), max_size=3).map(tuple),
    path=st.text(),
    message_id=st.integers(0, 9),
    number=st.integers(0, 9),
    said=st.text(max_size=600),
    sent=st.text(max_size=200),
    by=st.sampled_from([None, *Verdict]),
)


@given(CAUSES)
def test_a_stored_cause_is_the_same_with_foreign_text_cut(cause: Cause) -> None:
    parameters: dict[str, Any] = cause.parameters()
    stored = Cause.stored(str(cause.kind), parameters)
    assert stored._replace(said="", sent="") == cause._replace(said="", sent="")
    assert (len(stored.said) <= 500, len(stored.sent) <= 100) == (True, True)
    assert stored.said.removesuffix("…") in cause.said or stored.said == cause.said


def test_what_a_later_version_added_is_left_out() -> None:
    assert Cause.stored("incomplete", {"weather": "rain", "said": None}) == Cause(
        CauseKind.INCOMPLETE
    )
