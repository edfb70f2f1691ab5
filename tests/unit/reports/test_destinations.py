"""What is said of a destination that takes nothing, or is not called."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.causes import MASK
from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind, sentence
from bridge.pipeline.delivery.acknowledge import Stalled
from bridge.pipeline.delivery.pauses import Destination, Pauses, Selection
from bridge.reports.destinations import (
    PausedReport,
    address_of,
    destination_notices,
    destination_row,
    stalled_notices,
)
from bridge.settings import Settings
from bridge.store.far_end import Breaker, Trouble

ZONE = "Asia/Kolkata"
SETTINGS = Settings.model_validate(
    {
        "zauto": {"base_url": "https://api.zautoai.example/v1"},
        "hospital": {"host": "h", "port": 2575},
    }
)


def noticed(
    destination: Destination = Destination.ZAUTOAI,
    *,
    pauses: Pauses | None = None,
    breakers: dict[str, Breaker] | None = None,
    **more: Any,
) -> list[Notice]:
    row = destination_row(
        SETTINGS, destination, pauses or Pauses(), breakers=breakers or {}, **more
    )
    return list(destination_notices([row]))


def said(*arguments: Any, **more: Any) -> list[str]:
    return [sentence(notice, ZONE) for notice in noticed(*arguments, **more)]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.zautoai.com", "api.zautoai.com:443"),
        ("http://127.0.0.1/base", "127.0.0.1:80"),
        ("https://zauto.local:8443/v1", "zauto.local:8443"),
    ],
)
def test_an_address_has_host_and_port(url: str, address: str) -> None:
    settings = Settings.model_validate({"zauto": {"base_url": url}})
    assert address_of(settings, Destination.ZAUTOAI) == address
    assert address_of(settings, Destination.HOSPITAL) == ""


def test_all_is_well_without_a_word() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (NetworkFault.REFUSED, "not reachable: connection refused"),
        (NetworkFault.DNS, "not reachable: DNS: host name not found"),
        (NetworkFault.TLS, "not reachable: TLS handshake failed"),
        (NetworkFault.TIMEOUT, "not reachable: timeout"),
        (NetworkFault.CLOSED, "not reachable: connection closed"),
        (None, "not reachable"),
    ],
)
@pytest.mark.parametrize(
    ("destination", "name"),
    [
        (Destination.ZAUTOAI, "ZautoAI (api.zautoai.example:443)"),
        (Destination.HOSPITAL, "the hospital (h:2575)"),
    ],
)
def test_trouble_names_address_cause_since_and_next_try(
    destination: Destination, name: str, fault: NetworkFault | None, words: str
) -> None:
    (line,) = said(destination, trouble=Trouble(0.0, Reason.UNREACHABLE, fault), next_try=65.0)
    since = "takes nothing since 1970-01-01 05:30:00 IST"
    assert line == f"{name} {since} ({words}); next try at 05:31:05 IST"


def test_where_nothing_waits_or_it_is_paused_there_is_no_next_try() -> None:
    trouble = Trouble(0.0, Reason.NO_ANSWER, NetworkFault.TIMEOUT)
    (idle,) = said(trouble=trouble)
    assert idle.endswith("(no answer: timeout); it is tried again with the next call")
    paused = Pauses.of(Selection(Destination.ZAUTOAI))
    (line,) = said(trouble=trouble, pauses=paused, next_try=65.0)
    assert line.endswith("; it is paused")


def test_a_stop_shows_until_when_and_what_ends_it() -> None:
    breakers = {"": Breaker("", 5.0, 125.0, 120.0, Reason.BAD_CREDENTIALS)}
    (line,) = said(breakers=breakers, trouble=Trouble(5.0, Reason.BAD_CREDENTIALS))
    assert line.startswith(
        "ZautoAI (api.zautoai.example:443): all calls stopped until 05:32:05 IST, first at "
        "05:30:05 IST: client credentials refused; check BRIDGE_ZAUTO__CLIENT_ID"
    )
    assert line.endswith("; to try before: bridge resume --now")


def test_a_wait_after_a_429_ends_with_a_reason_only() -> None:
    (line,) = said(breakers={"": Breaker("", 5.0, 125.0, 120.0, Reason.LIMITED)})
    assert line.endswith("bridge resume --now --reason TEXT")


def test_a_stopped_resource_leaves_the_trouble_of_all_standing() -> None:
    breakers = {"patients": Breaker("patients", 5.0, 65.0, 60.0, Reason.FORBIDDEN)}
    lines = said(breakers=breakers, trouble=Trouble(5.0, Reason.CERTIFICATE), next_try=65.0)
    assert "patients stopped until 05:31:05 IST" in lines[0]
    assert "certificate not trusted" in lines[1]
    assert "zauto.base_url is wrong; next try" in lines[1]


def test_the_address_of_application_acknowledgments_is_named() -> None:
    stalled = Stalled(0.0, 65.0, 3, Reason.UNREACHABLE, NetworkFault.REFUSED)
    (notice,) = stalled_notices({"his:6661": stalled})
    assert notice.kind is NoticeKind.ACKNOWLEDGMENTS_STALLED
    assert sentence(notice, ZONE) == (
        "his:6661, where application acknowledgments go, takes nothing since 1970-01-01 05:30:00 "
        "IST (not reachable: connection refused); next try at 05:31:05 IST"
    )


@pytest.mark.parametrize(
    ("resource", "reason", "kind"),
    [
        ("", Reason.BAD_CREDENTIALS, NoticeKind.CREDENTIALS_REFUSED),
        ("", Reason.UNAUTHORIZED, NoticeKind.CREDENTIALS_REFUSED),
        ("", Reason.LIMITED, NoticeKind.OVER_LIMIT),
        ("", Reason.CERTIFICATE, NoticeKind.CALLS_STOPPED),
        ("", Reason.REDIRECTED, NoticeKind.CALLS_STOPPED),
        ("patients", Reason.FORBIDDEN, NoticeKind.RESOURCE_STOPPED),
        ("patients", Reason.WRONG_RECORD, NoticeKind.RESOURCE_STOPPED),
    ],
)
def test_a_stop_is_of_the_kind_of_who_can_end_it(
    resource: str, reason: Reason, kind: NoticeKind
) -> None:
    (notice,) = noticed(breakers={resource: Breaker(resource, 5.0, 65.0, 60.0, reason)})
    assert (notice.kind, notice.resource, notice.reason) == (kind, resource, reason)


@pytest.mark.parametrize(
    ("destination", "reason", "kind"),
    [
        (Destination.ZAUTOAI, Reason.UNREACHABLE, NoticeKind.ZAUTO_DOWN),
        (Destination.ZAUTOAI, Reason.CERTIFICATE, NoticeKind.ZAUTO_NOT_TRUSTED),
        (Destination.HOSPITAL, Reason.BUSY, NoticeKind.HOSPITAL_DOWN),
    ],
)
def test_trouble_is_of_the_kind_of_its_destination(
    destination: Destination, reason: Reason, kind: NoticeKind
) -> None:
    (notice,) = noticed(destination, trouble=Trouble(0.0, reason))
    assert notice.kind is kind


def test_what_is_paused_is_reported_without_numbers_of_patients() -> None:
    told = {
        "paused": False,
        "paused_destinations": ["hospital"],
        "paused_resources": ["patients"],
        "paused_channels": ["lab"],
        "paused_patients": [MASK, MASK],
    }
    pauses = Pauses(
        frozenset({Destination.HOSPITAL}),
        frozenset({"patients"}),
        frozenset({"lab"}),
        frozenset({"4712", "4711"}),
    )
    assert PausedReport.of(pauses).plain() == told
    shown = told | {"paused_patients": ["4711", "4712"]}
    assert PausedReport.of(pauses, reveal=True).plain() == shown
