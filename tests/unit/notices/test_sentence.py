"""A notice as people read it."""

from __future__ import annotations

import pytest

from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind, action, sentence

ZONE = "Asia/Kolkata"


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_makes_a_sentence_without_any_parameter(kind: NoticeKind) -> None:
    for text in (sentence(Notice(kind), ZONE), action(Notice(kind), ZONE)):
        assert not set("{}[]") & set(text)


@pytest.mark.parametrize("fault", NetworkFault)
def test_every_fault_has_words(fault: NetworkFault) -> None:
    notice = Notice(NoticeKind.HOSPITAL_DOWN, reason=Reason.UNREACHABLE, fault=fault)
    said = sentence(notice, ZONE)
    assert said.startswith("the hospital takes nothing since 1970-01-01 05:30:00 IST (not reach")
    assert said.endswith("); it is tried again with the next call")


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        (
            Notice(NoticeKind.MAPPINGS_REFUSED, text="x.yaml:1:1: is wrong"),
            "changed mappings were refused at 1970-01-01 05:30:00 IST, the present ones stay: "
            "x.yaml:1:1: is wrong; correct them, 'bridge check' names all",
        ),
        (
            Notice(NoticeKind.MAPPINGS_REFUSED, text="x.yaml:1:1: is wrong", number=2),
            "changed mappings were refused at 1970-01-01 05:30:00 IST, the present ones stay: "
            "x.yaml:1:1: is wrong and 2 more; correct them, 'bridge check' names all",
        ),
        (
            Notice(NoticeKind.CERTIFICATE_ENDS, name="his", number=1),
            "the certificate of listener 'his' ends in 1 day: renew it",
        ),
    ],
)
def test_a_sentence_has_its_parameters(notice: Notice, said: str) -> None:
    assert sentence(notice, ZONE) == said
