"""Every ADT event, from the messages of a small story to what ZautoAI holds in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.zauto import catalogue
from tests.acceptance.hl7 import message
from tests.acceptance.mllp import Sender
from tests.acceptance.mllp import field as read
from tests.acceptance.processes import Bridge, Sandbox, settings

#: told of in other files: a bed swap by the orders that go to the beds
ELSEWHERE = {"A17"}

#: one segment and its fields, in which p and q are patients, v and w visits, a and b accounts
Line = tuple[str, Mapping[int, str]]


def pid(patient: str = "{p}", name: str = "Nair^Anjali", account: str = "") -> Line:
    number = f"{patient}^^^CITY^MR"
    fields = {3: number, 5: name, 7: "19900412", 8: "F", 13: "+919876500123", 18: account}
    return "PID", fields


def pv1(visit: str = "{v}", **more: str) -> Line:
    fields = {2: "O", 7: "D17^Rao^Meera^^^Dr.", 19: visit, 44: "20260115103000+0530"}
    return "PV1", fields | {int(name[1:]): value for name, value in more.items()}


def mrg(patient: str = "{q}", account: str = "", visit: str = "") -> Line:
    return "MRG", {1: f"{patient}^^^CITY^MR", 3: account, 5: visit}


def sent(event: str, *lines: Line, **evn: str) -> tuple[str, Sequence[Line]]:
    """One message: its event and the segments behind EVN."""
    fields = {2: "20260115110000+0530"} | {int(n[1:]): value for n, value in evn.items()}
    return event, (("EVN", fields), *lines)


@dataclass(frozen=True, slots=True)
class Story:
    """What is sent, and what must be there: by resource and id, None where there must be none."""

    sends: Sequence[tuple[str, Sequence[Line]]]
    ends: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    status: str = "delivered"


REGISTERED = sent("A04", pid(), pv1())
ADMITTED = sent("A01", pid(), pv1(f2="I"))
OTHER = sent("A04", pid("{q}"), pv1("{w}"))
MERGED = "Merged into another record"
MOMENT = "2026-01-15T05:00:00Z"


def visit(**wanted: Any) -> dict[str, dict[str, Any]]:
    """The visit v of patient p."""
    return {"patient-visits/{v}": {"patientId": "{p}", **wanted}}


def others_visit(owner: str = "{p}", **wanted: Any) -> dict[str, dict[str, Any]]:
    """The visit w, which was patient q's."""
    return {"patient-visits/{w}": {"patientId": owner, **wanted}}


def unmoved(event: str) -> Story:
    """What happens to an inpatient changes nothing that ZautoAI keeps."""
    sends = [ADMITTED, sent(event, pid(), pv1(f2="I"))]
    return Story(sends, visit(patientType="IN_PATIENT", status="IN_QUEUE"), "suppressed")


def merged(event: str, account: str = "", prior: str = "") -> Story:
    """Patient q was p all along."""
    merge = sent(event, pid(account=account), mrg(account=prior))
    return Story([REGISTERED, OTHER, merge], visit() | others_visit())


def renumbered(event: str) -> Story:
    """Account a becomes b, and with b its visit goes to patient q."""
    sends = [
        sent("A04", pid(account="{a}"), pv1()),
        sent(event, pid(account="{b}"), mrg("{p}", "{a}")),
        OTHER,
        sent("A44", pid("{q}", account="{b}"), mrg("{p}", "{b}")),
    ]
    return Story(sends, {"patient-visits/{v}": {"patientId": "{q}"}}, "suppressed")


PATIENT = {"patients/{p}": {"fullName": "Anjali Nair"}}
STORIES: Mapping[str, Story] = {
    "A01": Story([ADMITTED], PATIENT | visit(patientType="IN_PATIENT", status="IN_QUEUE")),
    "A02": Story(
        [ADMITTED, sent("A02", pid(), pv1(f2="I", f3="ICU^1^A"))],
        visit(patientType="IN_PATIENT", status="IN_QUEUE"),
        "suppressed",
    ),
    "A03": Story(
        [ADMITTED, sent("A03", pid(), pv1(f2="I", f45="20260116090000+0530"))],
        visit(status="FINISHED", dischargeDateTime="2026-01-16T03:30:00Z"),
    ),
    "A04": Story([REGISTERED], PATIENT | visit(patientType="OUT_PATIENT", visitDateTime=MOMENT)),
    "A05": Story(
        [sent("A05", pid(), pv1(f2="P"), ("PV2", {8: "20260120100000+0530"}))],
        PATIENT | visit(visitDateTime="2026-01-20T04:30:00Z", status="IN_QUEUE"),
    ),
    "A06": Story([REGISTERED, sent("A06", pid(), pv1(f2="I"))], visit(patientType="IN_PATIENT")),
    "A07": Story([ADMITTED, sent("A07", pid(), pv1())], visit(patientType="OUT_PATIENT")),
    "A08": Story(
        [REGISTERED, sent("A08", pid(name="Menon^Anjali"), pv1())],
        {"patients/{p}": {"fullName": "Anjali Menon"}} | visit(),
    ),
    "A09": unmoved("A09"),
    "A10": unmoved("A10"),
    "A11": Story([ADMITTED, sent("A11", pid(), pv1(f2="I"))], visit(status="CANCELED")),
    "A12": unmoved("A12"),
    "A13": Story(
        [
            ADMITTED,
            sent("A03", pid(), pv1(f2="I", f45="20260116090000+0530")),
            sent("A13", pid(), pv1(f2="I")),
        ],
        visit(status="IN_PROGRESS", dischargeDateTime=None),
    ),
    "A14": Story(
        [sent("A14", pid(), pv1(f2="P"), ("PV2", {8: "20260120100000+0530"}))],
        PATIENT | visit(visitDateTime="2026-01-20T04:30:00Z"),
    ),
    "A15": unmoved("A15"),
    "A16": Story(
        [ADMITTED, sent("A16", pid(), pv1(f2="I"))], visit(dischargeDateTime=None), "suppressed"
    ),
    "A18": merged("A18", account="{a}", prior="{b}"),
    "A20": Story([sent("A20")], {}, "suppressed"),
    "A21": unmoved("A21"),
    "A22": unmoved("A22"),
    "A23": Story([ADMITTED, sent("A23", pid(), pv1(f2="I"))], PATIENT | visit(status="CANCELED")),
    "A24": Story(
        [REGISTERED, sent("A24", pid(), pid("{q}"))], {"patients/{q}": None}, "suppressed"
    ),
    "A25": unmoved("A25"),
    "A26": unmoved("A26"),
    "A27": Story(
        [sent("A14", pid(), pv1(f2="P")), sent("A27", pid(), pv1(f2="P"))],
        visit(status="CANCELED"),
    ),
    "A28": Story([sent("A28", pid(), pv1(f2="N"))], PATIENT | {"patient-visits/{v}": None}),
    "A29": Story(
        [sent("A28", pid(), pv1(f2="N")), sent("A29", pid(), pv1(f2="N"))],
        {"patients/{p}": {"remarks": "Deleted by the hospital"}},
    ),
    "A30": merged("A30"),
    "A31": Story(
        [REGISTERED, sent("A31", pid(name="Menon^Anjali"), pv1(f2="N"))],
        {"patients/{p}": {"fullName": "Anjali Menon"}},
    ),
    "A32": unmoved("A32"),
    "A33": unmoved("A33"),
    "A34": merged("A34"),
    "A35": renumbered("A35"),
    "A36": merged("A36", account="{a}", prior="{b}"),
    "A37": Story(
        [REGISTERED, sent("A37", pid(), pid("{q}"))], {"patients/{q}": None}, "suppressed"
    ),
    "A38": Story(
        [sent("A05", pid(), pv1(f2="P")), sent("A38", pid(), pv1(f2="P"))],
        visit(status="CANCELED"),
    ),
    "A39": merged("A39"),
    "A40": Story(
        [
            REGISTERED,
            OTHER,
            sent("A40", pid(), mrg()),
            sent("A08", pid("{q}"), pv1("{w}", f2="I")),
        ],
        visit()
        | others_visit(patientType="IN_PATIENT")
        | {
            "patients/{q}": {
                "remarks": "Merged into another record of this patient by the hospital"
            }
        },
    ),
    "A41": renumbered("A41"),
    "A42": Story(
        [
            REGISTERED,
            sent("A04", pid(), pv1("{w}")),
            sent("A42", pid(), mrg("{p}", visit="{w}"), pv1()),
        ],
        visit(status="IN_QUEUE") | others_visit(status="CANCELED"),
    ),
    "A43": Story([REGISTERED, sent("A43", pid(), mrg("{p}"))], PATIENT | visit(), "suppressed"),
    "A44": Story(
        [
            sent("A04", pid("{q}", account="{b}"), pv1("{w}")),
            sent("A04", pid("{q}", account="{a}"), pv1()),
            sent("A44", pid(account="{a}"), mrg(account="{a}")),
        ],
        visit() | others_visit("{q}"),
    ),
    "A45": Story(
        [
            REGISTERED,
            OTHER,
            sent("A45", pid(), mrg(visit="{w}"), pv1("{w}")),
        ],
        visit() | others_visit(),
    ),
    "A46": Story([REGISTERED, sent("A46", pid(), mrg("{p}"))], PATIENT | visit(), "suppressed"),
    "A47": Story(
        [REGISTERED, sent("A47", pid("{q}"), mrg("{p}")), sent("A04", pid("{q}"), pv1("{w}"))],
        {"patients/{p}": {"uhid": "{q}"}, "patients/{q}": None} | visit() | others_visit(),
    ),
    "A48": Story([REGISTERED, sent("A48", pid(), mrg("{p}"))], PATIENT | visit(), "suppressed"),
    "A49": renumbered("A49"),
    "A50": Story(
        [
            REGISTERED,
            sent("A50", pid(), mrg("{p}", visit="{v}"), pv1("{w}")),
            sent("A08", pid(), pv1("{w}", f2="I")),
        ],
        visit(patientType="IN_PATIENT") | {"patient-visits/{w}": None},
        "suppressed",
    ),
    "A51": Story(
        [REGISTERED, sent("A51", pid(), mrg("{p}", visit="{v}"), pv1(f50="ALT{v}"))],
        visit(),
        "suppressed",
    ),
    "A52": unmoved("A52"),
    "A53": unmoved("A53"),
    "A54": Story(
        [ADMITTED, sent("A54", pid(), pv1(f2="I", f7="D18^Menon^Arun"))], visit(providerId="D18")
    ),
    "A55": Story(
        [
            ADMITTED,
            sent("A54", pid(), pv1(f2="I", f7="D18^Menon^Arun")),
            sent("A55", pid(), pv1(f2="I")),
        ],
        visit(providerId="D17"),
    ),
    "A60": Story([REGISTERED, sent("A60", pid())], visit(), "suppressed"),
    "A61": Story([REGISTERED, sent("A61", pid(), pv1(f9="D18^Menon"))], visit(), "suppressed"),
    "A62": Story([REGISTERED, sent("A62", pid(), pv1())], visit(), "suppressed"),
}


def names(event: str) -> dict[str, str]:
    """The numbers of the people, visits and accounts of a story: no two stories share one."""
    number = event[1:]
    people = {"p": f"71{number}1", "q": f"71{number}2"}
    return people | {each: f"{each.upper()}{number}" for each in "vwab"}


@pytest.fixture(scope="module")
async def bridge(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bridge]:
    """A bridge to which all stories were told, until nothing waited any more."""
    await one_sandbox.reset()
    folder = tmp_path_factory.mktemp("events")
    async with AsyncExitStack() as ending:
        bridge = Bridge(folder, settings(folder, one_sandbox.url), [])
        ending.callback(bridge.end)
        ending.push_async_callback(bridge.http.aclose)
        await bridge.start()
        sender = await ending.enter_async_context(Sender(lambda: bridge.mllp))
        for number in range(max(len(story.sends) for story in STORIES.values())):
            for event, story in STORIES.items():
                if number < len(story.sends):
                    await tell(sender, event, number, *story.sends[number])
            await bridge.settled()
        yield bridge
        assert bridge.failures() == []


async def tell(
    sender: Sender, event: str, number: int, trigger: str, lines: Sequence[Line]
) -> None:
    """Send one message of a story."""
    known = names(event)
    header = {3: "HIS", 4: "CITY", 5: "ZAUTO", 7: "20260115110000+0530", 11: "P", 12: "2.5.1"}
    msh = ("MSH", header | {9: f"ADT^{trigger}", 10: f"{event}-{number}"})
    filled = [
        (name, {place: text.format(**known) for place, text in fields.items()})
        for name, fields in lines
    ]
    assert read(await sender.send(message([msh, *filled])), "MSA", 1) == "AA"


@pytest.mark.parametrize("event", sorted(STORIES))
async def test_an_event_ends_as_records(bridge: Bridge, one_sandbox: Sandbox, event: str) -> None:
    story, known = STORIES[event], names(event)
    for number, (trigger, _) in enumerate(story.sends):
        found = await bridge.message_of(f"{event}-{number}")
        ends = story.status if trigger == event else "delivered"
        assert found["status"] == ends, f"{trigger}: {found['reason']}"
    for key, wanted in story.ends.items():
        resource, _, number = key.format(**known).partition("/")
        record = await one_sandbox.record(resource, number)
        assert (record is None) is (wanted is None), key
        for name, value in (wanted or {}).items():
            text = value.format(**known) if isinstance(value, str) else value
            assert record is not None
            assert _plain(record.get(name)) == text, f"{key}.{name}"


def _plain(value: Any) -> Any:
    """A number as the text that a story has for it."""
    return str(value) if isinstance(value, int) else value


def test_every_event_that_a_mapping_takes_has_a_story() -> None:
    folder = mappings_folder()
    shipped = load([folder], catalogue.load(folder / "zauto"), Site())
    taken = {
        kind.partition("^")[2]
        for each in shipped.all
        if each.protocol is Protocol.HL7V2
        for kind in each.messages
        if kind.startswith("ADT^")
    }
    assert taken == set(STORIES) | ELSEWHERE
