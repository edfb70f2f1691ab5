"""What each kind of notice says and means, what to do and who has to: the one place that the words
of `bridge status` come from.

Sentences are templates (`bridge.template`). Beside the parameters of a notice they can name `first`
(the time of day of `since`), `advice` (what to do about the reason), `next_try`, and `quoted` (the
patient or the name as a shell takes it). The tables of
docs/operating.md and docs/reference/status.md are made of it (`make reference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.notices.notice import NoticeKind


class Actor(StrEnum):
    """Who has to act."""

    NOBODY = "nobody"
    OPERATOR = "operator"
    SENDER = "sender"
    NETWORK = "network"
    ZAUTO = "ZautoAI"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class NoticeExplanation:
    """What is known of one kind of notice."""

    #: with the parameters of the notice
    sentence: str
    #: what it means; "" where the sentence says all
    meaning: str = ""
    #: what a person does; "" where there is nothing to do
    action: str = ""
    by: Actor = Actor.NOBODY
    #: what stands behind it, for the page of notices
    background: str = ""


_RENEW = "renew it, without a restart (docs/how-to/use-tls.md)"
_STOPPED = (
    "stopped until {until}, first at {first}: {reason}[; {advice}]; to try before: "
    "bridge resume --now"
)
_TAKES_NOTHING = "takes nothing since {since} ({reason}[: {fault}])"
_ALL_STOPPED = (
    "A stop of all calls holds over a restart, until the time that the line names. It lasts twice "
    "as long after each failure in a row, at most 15 minutes unless ZautoAI asked for more."
)

_OF_WORK: Mapping[NoticeKind, NoticeExplanation] = {
    NoticeKind.NOT_RUNNING: NoticeExplanation(
        "The service is not running; this is what its store holds. Start: bridge run",
        "no message is taken and nothing is delivered",
        "start it with `bridge run`, or as the system starts its services",
        Actor.OPERATOR,
        "Nothing that was acknowledged is lost. Give the command the same `--config` and variables "
        "as the service, or it looks at another store.",
    ),
    NoticeKind.DISK_FULL: NoticeExplanation(
        "nothing is acknowledged: the disk of the store has less free than store.free_bytes; make "
        "room",
        "less is free than `store.free_bytes`; senders keep their messages and send them again",
        "make room; it continues automatically",
        Actor.OPERATOR,
    ),
    NoticeKind.CANNOT_WRITE: NoticeExplanation(
        "nothing is acknowledged: the store cannot be written since {since}; check its disk "
        "(space, quota, errors) and what else has the file open",
        "each commit fails; senders keep their messages and send them again",
        "free or repair the disk, end what else has the file open; it continues automatically",
        Actor.OPERATOR,
        "The bridge tries a small commit every 10 seconds. `/readyz` answers 503 until one works.",
    ),
    NoticeKind.WORK_ENDED: NoticeExplanation(
        "{name} has stopped: restart the bridge",
        "a fault of the bridge ended a part of its work; the rest continues",
        "restart it, then report it with the log",
        Actor.OPERATOR,
        "The log has an event `work has stopped` with the place. `/readyz` answers 503 until the "
        "restart.",
    ),
    NoticeKind.PAUSED: NoticeExplanation(
        "Delivery is paused[, {number:message} waiting]. Go on: bridge resume",
        "somebody ran `bridge pause`; messages are still taken and acknowledged",
        "`bridge resume`",
        Actor.OPERATOR,
        "A pause holds over a restart.",
    ),
    NoticeKind.DESTINATION_PAUSED: NoticeExplanation(
        "Delivery to {name} is paused. Go on: bridge resume --destination {destination}",
        "somebody ran `bridge pause --destination`",
        "'bridge resume --destination {destination}'",
        Actor.OPERATOR,
    ),
    NoticeKind.RESOURCE_PAUSED: NoticeExplanation(
        "Calls for {resource} are paused. Go on: bridge resume --resource {resource}",
        "somebody ran `bridge pause --resource`",
        "'bridge resume --resource {resource}'",
        Actor.OPERATOR,
        "What waits behind these calls in the same lane waits too.",
    ),
    NoticeKind.CHANNEL_PAUSED: NoticeExplanation(
        "Deliveries of channel {name} are paused. Go on: bridge resume --channel {quoted}",
        "somebody ran `bridge pause --channel`",
        "'bridge resume --channel {quoted}'",
        Actor.OPERATOR,
        "What waits behind these deliveries in the same lane waits too.",
    ),
    NoticeKind.PATIENT_PAUSED: NoticeExplanation(
        "Deliveries of patient {patient} are paused. Go on: bridge resume --patient {quoted}",
        "somebody ran `bridge pause --patient`",
        "'bridge resume --patient {quoted}'",
        Actor.OPERATOR,
    ),
    NoticeKind.PATIENTS_PAUSED: NoticeExplanation(
        "Deliveries of {number:hidden patient} are paused. Go on: bridge resume --patient ID "
        "('bridge status --reveal' shows each ID)",
        "somebody ran `bridge pause --patient`; the numbers are hidden",
        "'bridge resume --patient ID'; 'bridge status --reveal' shows each ID",
        Actor.OPERATOR,
    ),
}

_OF_MESSAGES: Mapping[NoticeKind, NoticeExplanation] = {
    NoticeKind.PARKED: NoticeExplanation(
        "{number:message needs|messages need} a person: bridge messages --status parked",
        "trying again cannot help",
        "read `what to do` in `bridge messages show`; the table `parked` counts them by cause and "
        "sender",
        Actor.OPERATOR,
        "[Each cause](causes.md) says who has to act on it.",
    ),
    NoticeKind.BY_HAND: NoticeExplanation(
        "to do by hand",
        "messages were delivered, and left something that only a person can do",
        "what the table below this title says",
        Actor.OPERATOR,
    ),
    NoticeKind.ON_THE_WAY: NoticeExplanation(
        "{number:message} on the way, the oldest for {seconds}.",
        "usual",
        "nothing",
        background="They wait for their turn, their next attempt, or the call limit of ZautoAI.",
    ),
    NoticeKind.HELD: NoticeExplanation(
        "{number:message} held until what they wait for comes.",
        "they wait for a record that was not sent yet, or for a row of a code table, and continue "
        "when it comes",
        "have the record sent if it does not come; for `codes/…` add the row: see *Codes nobody "
        "knows*",
        Actor.SENDER,
        "The table `held for` counts what they wait for. `--reveal` shows the keys.",
    ),
    NoticeKind.ALL_DELIVERED: NoticeExplanation("All that was taken is delivered."),
    NoticeKind.NOTHING_CAME: NoticeExplanation("No message has come yet."),
    NoticeKind.QUARANTINED: NoticeExplanation(
        "not readable as messages: {number}, see bridge messages quarantine",
        "bytes came in that are not a message",
        "find their sender in `bridge messages quarantine`, and have it corrected",
        Actor.SENDER,
        "`--reveal` shows how they begin. Of each the first bytes are kept.",
    ),
    NoticeKind.REMARKS: NoticeExplanation(
        "thrown away or left out most often (all: bridge remarks):",
        "messages were translated without some of their values",
        "have the sender correct it, or change the mapping: see *What is thrown away*",
        Actor.SENDER,
    ),
    NoticeKind.REMARK: NoticeExplanation("  {number}x {name}: {text} ({sender})"),
}

_OF_ZAUTO: Mapping[NoticeKind, NoticeExplanation] = {
    NoticeKind.ZAUTO_DOWN: NoticeExplanation(
        f"ZautoAI[ ({{address}})] {_TAKES_NOTHING}; {{next_try}}",
        "network or ZautoAI (connection refused, DNS, TLS handshake failed, timeout; no answer; "
        "server error); every call is tried again automatically, nothing is lost",
        "report it to ZautoAI or the network's people if it lasts; `bridge resume --now` tries at "
        "once",
        Actor.NETWORK,
        "The reason `not reachable` names what failed on the way. Another one is an answer that is "
        "not of ZautoAI's API: a proxy may have sent it.",
    ),
    NoticeKind.ZAUTO_NOT_TRUSTED: NoticeExplanation(
        f"ZautoAI[ ({{address}})] {_TAKES_NOTHING}[; {{advice}}]; {{next_try}}",
        "the certificate, the address or the credentials are wrong; trying again cannot help",
        "correct what the line names, then `bridge resume --now`",
        Actor.OPERATOR,
    ),
    NoticeKind.CREDENTIALS_REFUSED: NoticeExplanation(
        f"ZautoAI[ ({{address}})]: all calls {_STOPPED}",
        "client credentials or token refused: the client id or secret is wrong or was withdrawn",
        "set the right ones, restart: other credentials are tried at once. With the same ones, "
        "`bridge resume --now`",
        Actor.OPERATOR,
        _ALL_STOPPED,
    ),
    NoticeKind.OVER_LIMIT: NoticeExplanation(
        f"ZautoAI[ ({{address}})]: all calls {_STOPPED} --reason TEXT",
        "ZautoAI answered 429 and said until when",
        "nothing: it continues then. If ZautoAI lifted the limit, `bridge resume --now --reason "
        "TEXT`",
        background="The reason is kept, because ZautoAI asked for the wait.",
    ),
    NoticeKind.CALLS_STOPPED: NoticeExplanation(
        f"ZautoAI[ ({{address}})]: all calls {_STOPPED}",
        "certificate not trusted, or redirected: something stands between the bridge and ZautoAI, "
        "or `zauto.base_url` is wrong",
        "correct the address or the certificate, then `bridge resume --now`",
        Actor.OPERATOR,
        _ALL_STOPPED,
    ),
    NoticeKind.RESOURCE_STOPPED: NoticeExplanation(
        f"ZautoAI[ ({{address}})]: {{resource}} {_STOPPED}",
        "ZautoAI does not permit it to this client, or answers with another record than was asked "
        "for; calls for other resources continue",
        "ask ZautoAI, then 'bridge resume --now --resource {resource}'",
        Actor.ZAUTO,
    ),
    NoticeKind.WAITS_ENDED: NoticeExplanation(
        "waits ended by hand at {since}: {text}",
        background="Somebody ran `bridge resume --now --reason`. The line stays for a day.",
    ),
    NoticeKind.ZAUTO_NOT_SET_UP: NoticeExplanation(
        "ZautoAI is not set up: nothing goes there (zauto.base_url, client_id …)",
        "the settings name no address or no credentials; calls are kept",
        "set `zauto.base_url`, `zauto.client_id` and `zauto.client_secret_file`, then restart",
        Actor.OPERATOR,
    ),
    NoticeKind.NOT_OFFERED: NoticeExplanation(
        "ZautoAI seems not to offer '{name}': if so for good, add it to zauto.not_offered",
        "an endpoint that its document does not show is not there",
        "nothing now; for good, add it to `zauto.not_offered`",
        Actor.OPERATOR,
    ),
    NoticeKind.CONTRACT_DEVIATIONS: NoticeExplanation(
        "ZautoAI answered what its document does not say",
        "its API changed, or is read wrongly; delivery continues",
        "report it with that table",
        Actor.ZAUTO,
    ),
    NoticeKind.CALLS_USED: NoticeExplanation(
        "calls to ZautoAI: {number} of {limit} in the last hour[; {waiting} wait, drained by about "
        "{name}]",
    ),
    NoticeKind.CALLS_NOT_LIMITED: NoticeExplanation(
        "calls to ZautoAI: not limited (zauto.limits is off)"
    ),
}

_OF_HOSPITAL: Mapping[NoticeKind, NoticeExplanation] = {
    NoticeKind.HOSPITAL_DOWN: NoticeExplanation(
        f"the hospital[ ({{address}})] {_TAKES_NOTHING}; {{next_try}}",
        "its interface engine is down or busy; orders wait",
        "report it to the engine's people",
        Actor.HOSPITAL,
    ),
    NoticeKind.HOSPITAL_NOT_SET_UP: NoticeExplanation(
        "no hospital is set up: orders wait (hospital.host, hospital.port)",
        "orders are taken and kept, and sent when there is an address",
        "set `hospital.host` and `hospital.port`, then restart; nothing where ZautoAI pushes no "
        "orders",
        Actor.OPERATOR,
    ),
    NoticeKind.ACKNOWLEDGMENTS_STALLED: NoticeExplanation(
        f"{{address}}, where application acknowledgments go, {_TAKES_NOTHING}; {{next_try}}",
        "that listener of the hospital's is down; they are kept and sent when it is back",
        "report it to the engine's people",
        Actor.HOSPITAL,
    ),
    NoticeKind.ACKNOWLEDGMENTS: NoticeExplanation(
        "application acknowledgments: {parts}",
        background="`due` grows while a sender that is owed an answer is not there.",
    ),
}

_OF_FILES: Mapping[NoticeKind, NoticeExplanation] = {
    NoticeKind.MAPPINGS_REFUSED: NoticeExplanation(
        "changed mappings were refused at {since}, the present ones stay: {text}"
        "[ and {number} more]; correct them, 'bridge check' names all",
        "the files are wrong; what was in use stays in use",
        "correct what `bridge check` names",
        Actor.OPERATOR,
    ),
    NoticeKind.MAPPINGS_PINNED: NoticeExplanation(
        "mappings {name} of {site} are pinned, whatever the files say; 'bridge mapping reload' "
        "takes the files again",
        "somebody ran `bridge mapping rollback`",
        "`bridge mapping reload` when the files are right",
        Actor.OPERATOR,
    ),
    NoticeKind.MAPPINGS_IN_USE: NoticeExplanation(
        "mappings[ of {site}]: {name} since {since}[, {parts}]",
        background="The hash is that of `bridge mapping versions` and of `bridge messages show`.",
    ),
    NoticeKind.CERTIFICATE_ENDED: NoticeExplanation(
        "the certificate of listener '{name}' has ended: no sender can connect; renew it",
        "senders refuse the connection",
        _RENEW,
        Actor.OPERATOR,
    ),
    NoticeKind.CERTIFICATE_ENDS: NoticeExplanation(
        "the certificate of listener '{name}' ends in {number:day}: renew it",
        "then no sender can connect any more",
        _RENEW,
        Actor.OPERATOR,
    ),
    NoticeKind.CERTIFICATE: NoticeExplanation("certificate of listener {name}: {number:day} left"),
}

EXPLANATIONS: Mapping[NoticeKind, NoticeExplanation] = {
    **_OF_WORK,
    **_OF_MESSAGES,
    **_OF_ZAUTO,
    **_OF_HOSPITAL,
    **_OF_FILES,
}
