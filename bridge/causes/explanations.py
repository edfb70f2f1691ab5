"""What each kind of cause means, who has to act, and how: the one place that people's words
come from.

Sentences are templates (`bridge.template`). docs/reference/causes.md and a table of
docs/operating.md are made of it (`python -m bridge.reports.pages.runbook`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.causes.cause import CauseKind
from bridge.message import Verdict

#: HL7 table 0357
SEQUENCE, MISSING, DATA_TYPE, NO_ROW = 100, 101, 102, 103
UNKNOWN_KEY, DUPLICATE_KEY, INTERNAL = 204, 205, 207


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row of the runbook."""

    #: with the parameters of the cause
    sentence: str
    #: what a person does; "" where there is nothing to do
    action: str = ""
    #: who has to act, unless the cause says so itself; None where nobody has to
    by: Verdict | None = None
    #: ERR-3 of an application acknowledgment (table 0357)
    code: int = INTERNAL
    #: what stands behind it, for the runbook
    background: str = ""


_SENDER, _ZAUTO, _MAPPING = Verdict.SENDER, Verdict.ZAUTO, Verdict.MAPPING
_ITSELF = "nothing: it goes out by itself"

_OF_MESSAGES: Mapping[CauseKind, Explanation] = {
    CauseKind.UNMAPPED: Explanation(
        "no mapping handles this message type",
        "nothing, unless this type should be forwarded: then add a mapping",
        background="The message is kept and acknowledged. `bridge status` counts such messages by "
        "type.",
    ),
    CauseKind.NOTHING_KEPT: Explanation(
        "asks for nothing that ZautoAI keeps[: {name}]",
        background="The mapping of this event makes no call, for instance for a bed status.",
    ),
    CauseKind.NOTHING_TO_SEND: Explanation(
        "nothing is sent to the hospital",
        background="The push says nothing of its services that the hospital was not sent before.",
    ),
    CauseKind.REFUSED_AT_DOOR: Explanation(
        "[{path}: ]{name}[ (error {code})][: {said}]",
        "have the sender correct it and send it again; the negative answer named the place",
        _SENDER,
        background="The message was answered negatively and is kept for the record. Nothing of it "
        "was forwarded. `MSH[2]: line … has an MSH that does not begin a message` means two "
        "messages in one frame whose senders differ, or a header that was cut: have the sender put "
        "each message in a frame of its own.",
    ),
    CauseKind.UNREADABLE: Explanation(
        "[{path}: ]{name}",
        "have the sender correct it and send it again",
        _SENDER,
        DATA_TYPE,
        "The message was acknowledged, but its content is not what its header says.",
    ),
    CauseKind.NO_USABLE_ID: Explanation(
        "no id for {resource}: nothing usable in {path}",
        "have the number sent; or change the mapping, or `site.identifier_types`, "
        "`site.no_visit_number`",
        _SENDER,
        MISSING,
        "A record needs the hospital's number. National and insurance numbers are never taken for "
        "one.",
    ),
    CauseKind.NOT_CALLED: Explanation(
        "{name}",
        "have the sender add what is missing; or change the mapping if the call is not required",
        _SENDER,
        MISSING,
        "A call that the mapping marks `required` could not be made, so none was.",
    ),
    CauseKind.SITE_PARKS: Explanation(
        "{path}: {name}",
        "have the whole value sent, or change the site's policy",
        _SENDER,
        DATA_TYPE,
        "A [policy](reference/policies.md) of the site leaves this to a person.",
    ),
    CauseKind.WAITS_FOR_CODE: Explanation(
        "waits for a row of code table {table}",
        "add a row for the code that 'bridge codes' lists; the message continues by itself",
        _MAPPING,
        NO_ROW,
        "The table says `otherwise: hold`. Later messages of the same patient wait behind it.",
    ),
    CauseKind.WAITS_FOR_RECORD: Explanation(
        "waits for {key}, which has not come yet",
        "nothing: it continues when that record comes; have it sent if it does not",
        _SENDER,
        UNKNOWN_KEY,
        "The message names a record that no earlier message described.",
    ),
    CauseKind.BEHIND_MESSAGE: Explanation(
        "waits behind message {message_id} of the same record",
        "see what message {message_id} waits for: both continue together",
        _MAPPING,
        background="Events of one patient apply in order.",
    ),
    CauseKind.DID_NOT_COME: Explanation(
        "waited for {key}, which did not come within {name} h",
        "have that record sent, then this message again",
        _SENDER,
        UNKNOWN_KEY,
        "`zauto.hold_hours` sets how long a message is held.",
    ),
    CauseKind.NOT_SENT_IN_TIME: Explanation(
        "it could not be sent within {name} h",
        "nothing: its sender did not take the application acknowledgment; ask why if it matters",
        _SENDER,
        background="An application acknowledgment is given up after `zauto.hold_hours`.",
    ),
    CauseKind.BRIDGE_FAULT: Explanation(
        "the bridge failed ({name})",
        "report it with this page (without --reveal); the log has the place",
        Verdict.BRIDGE,
        INTERNAL,
        "A fault of the bridge. The message is kept whole, and others are not affected.",
    ),
    CauseKind.EARLIER_VERSION: Explanation(
        "[{said}]",
        "read what was answered with --reveal; when the cause is gone, have it sent again",
        background="An earlier version of the bridge kept this reason as a sentence.",
    ),
}

_OF_RECORDS: Mapping[CauseKind, Explanation] = {
    CauseKind.CONFLICT_ISSUER: Explanation(
        "conflict: this id was issued by {issuer} and now comes from {other_issuer}",
        "if both mean the same, name them in `site.same_authorities`; otherwise have the right "
        "number sent",
        _SENDER,
        DUPLICATE_KEY,
        "Two hospitals, or two systems, gave the same number to different records. The bridge "
        "overwrites neither. An id that a FHIR server made up is not a hospital number: have the "
        "sender of the other name its assigning authority.",
    ),
    CauseKind.NO_ISSUER: Explanation(
        "no issuer: the message names no assigning authority of a number that {issuer} issued",
        "have the sender name it (CX-4), or set `authority` of the channel",
        _SENDER,
        UNKNOWN_KEY,
        "Updates without an issuer are taken for the same record. Merges, moves, changes of number "
        "and deletions are not, because they cannot be undone.",
    ),
    CauseKind.TWO_RECORDS: Explanation(
        "conflict: its numbers lead to two known records",
        "have the message sent with the number that is meant; 'bridge merges --reveal' shows where "
        "numbers lead",
        _SENDER,
        DUPLICATE_KEY,
        "MRG or PID lists numbers of two known records, so that the message could be about either.",
    ),
    CauseKind.NUMBER_TAKEN: Explanation(
        "conflict: another record has the new number already; only a merge joins two",
        "have a merge sent if both are one; 'bridge merges --reveal' shows where numbers lead",
        _SENDER,
        DUPLICATE_KEY,
        "A change of number (A46 to A48, A50, A51) names a number that is another record's.",
    ),
    CauseKind.ANOTHER_OWNER: Explanation(
        "conflict: it belongs to another record than the message says",
        "compare the visit's patient in both systems, then have the right message sent",
        _SENDER,
        DUPLICATE_KEY,
        "The visit or account is known as that of another patient.",
    ),
    CauseKind.ANOTHER_RECORD: Explanation(
        "conflict: this id is known as another {resource}[ (by {fields})]",
        "compare both records; if the one at ZautoAI is wrong, correct it there and send the "
        "message again",
        _SENDER,
        DUPLICATE_KEY,
        "A record under this id exists and is not the same person or visit. The bridge overwrites "
        "nothing.",
    ),
    CauseKind.OWNER_IN_DOUBT: Explanation(
        "conflict: it would belong to a record that is another's, as this message shows",
        "resolve the conflict of the patient of this message, then have it sent again",
        _SENDER,
        DUPLICATE_KEY,
        "The patient's number in the same message is another patient's, so the visit is not sent.",
    ),
    CauseKind.HAS_DEPENDENTS: Explanation(
        "{number:other record} would be left without it",
        "delete or move those first, or delete it by hand at ZautoAI",
        _SENDER,
        background="A patient with visits is not deleted.",
    ),
    CauseKind.MERGED: Explanation(
        "{number:visit} re-pointed, the previous record is {name}; visits that the bridge has not "
        "seen are unknown to it",
        background="A merge was carried out. Later messages with the previous number are about the "
        "surviving record.",
    ),
    CauseKind.MOVED: Explanation(
        "[{number:visit} re-pointed][{name}]",
        background="Visits belong to another patient from now on.",
    ),
    CauseKind.RENAMED: Explanation(
        "goes by the new number from now on",
        background="Both numbers lead to the same record.",
    ),
    CauseKind.RENUMBERED: Explanation(
        "{number:visit} noted under the other account",
        background="ZautoAI has no accounts; the bridge remembers which visits are of one.",
    ),
    CauseKind.SAME_NUMBER: Explanation("both numbers are the same: nothing changes"),
    CauseKind.SAME_RECORD: Explanation("they are one record already"),
    CauseKind.PERSON_CHANGED: Explanation(
        "belongs to another person now, of whom ZautoAI keeps nothing"
    ),
    CauseKind.PRIOR_UNKNOWN: Explanation(
        "the bridge has seen no {resource} with the previous number",
        "look for the previous number at ZautoAI: what it has of it from other sources must be "
        "corrected by hand",
        _SENDER,
        UNKNOWN_KEY,
        "The message was carried out for the record that is known, and the previous number leads "
        "to it. What ZautoAI holds under the previous number, if anything, was not touched.",
    ),
    CauseKind.GIVEN_UP_NUMBER: Explanation(
        "the record no longer goes by this number: it stays",
        background="A deletion names the number of a record that was merged or renumbered. The "
        "surviving record is not meant.",
    ),
}

_OF_CALLS: Mapping[CauseKind, Explanation] = {
    CauseKind.INCOMPLETE: Explanation(
        "incomplete: {fields}",
        "have the missing fields sent: the next message of the record that brings them takes this "
        "one along; a policy of the site (docs/reference/policies.md) may fill them",
        _SENDER,
        MISSING,
        "ZautoAI requires these fields, and no message of the record has brought them.",
    ),
    CauseKind.NOTHING_CHANGED: Explanation("nothing changed"),
    CauseKind.EXISTS: Explanation("the record exists already and is left alone"),
    CauseKind.GONE: Explanation("it is not there any more"),
    CauseKind.NOT_OURS: Explanation("the bridge has made no such record"),
    CauseKind.NOT_OFFERED: Explanation(
        "not offered by its API: a {resource} cannot be {name}, only by hand",
        "make the change at ZautoAI by hand",
        _ZAUTO,
        background="`zauto.not_offered` lists what ZautoAI is known not to offer.",
    ),
    CauseKind.REFUSED_FIELDS: Explanation(
        "refused as invalid[: {fields}][ {said}]",
        "correct the fields at their source and have the message sent again",
        _SENDER,
        DATA_TYPE,
        "ZautoAI refused the values of these fields. `--reveal` shows what it said.",
    ),
    CauseKind.REFUSED: Explanation(
        "{name}[ ({code})][: {said}]",
        "read what was answered with --reveal; when the cause is gone, have it sent again",
        _ZAUTO,
        background="The destination refused the request. Trying again unchanged cannot help.",
    ),
    CauseKind.BEHIND_REFUSED_ORDER: Explanation(
        "queued behind the order of message {message_id}, which was refused",
        "resolve why message {message_id} was refused, then have the services pushed again",
        Verdict.HOSPITAL,
        background="Its orders and charges were compared with an order for the same service that "
        "the hospital does not have. It was not sent, and does not count as sent.",
    ),
    CauseKind.WRONG_RECORD: Explanation(
        "ZautoAI answered for another record",
        "compare the record at ZautoAI, and report it to ZautoAI with the request's time",
        _ZAUTO,
        background="The answer names another external id than the request. Calls for this kind of "
        "record stop.",
    ),
    CauseKind.NO_CLEAR_ANSWER: Explanation(
        "no clear answer {number} times, while others get one",
        "report the record's id to ZautoAI; when it is corrected, have the message sent again",
        _ZAUTO,
        background="ZautoAI fails on this record alone.",
    ),
    CauseKind.ID_TAKEN: Explanation(
        "conflict: the id is taken at ZautoAI, yet no such record can be read",
        "report the record's id to ZautoAI",
        _ZAUTO,
        DUPLICATE_KEY,
        "ZautoAI refuses to create the record because it exists, and then does not find it. "
        "Another field may be the one that exists already.",
    ),
    CauseKind.APPEARS_AND_VANISHES: Explanation(
        "ZautoAI says that the record exists and that it does not",
        "report the record's id to ZautoAI",
        _ZAUTO,
    ),
    CauseKind.MISSING_REFERENT: Explanation(
        "ZautoAI misses a record that it does not name, or that it was given",
        "compare the patient and the provider of this visit at ZautoAI",
        _ZAUTO,
        UNKNOWN_KEY,
    ),
    CauseKind.WAITS_FOR_REFERENT: Explanation(
        "waits for its {resource} record",
        "nothing: it continues when that record comes; have it sent if it does not",
        _SENDER,
        UNKNOWN_KEY,
        "A visit needs its patient at ZautoAI first.",
    ),
    CauseKind.BEHIND_EVENT: Explanation(
        "waits behind an earlier event of the same record",
        "nothing: it continues after that one",
        _SENDER,
    ),
    CauseKind.RETRY: Explanation("{name}", _ITSELF),
    CauseKind.PAUSED: Explanation(
        "calls[ for {resource}][ for {key}][ of channel {name}] are paused",
        "run the 'bridge resume …' that 'bridge status' names",
        background="Somebody ran `bridge pause` with `--resource`, `--patient` or `--channel`. It "
        "waits at its place in its lane, and what is behind it waits too.",
    ),
    CauseKind.READING: Explanation("the id exists there: reading whose it is", _ITSELF),
    CauseKind.SENDING_AGAIN: Explanation("it had no effect: sending it again", _ITSELF),
    CauseKind.UPDATING: Explanation("it is there but different: updating it", _ITSELF),
    CauseKind.MAKING_AGAIN: Explanation("ZautoAI no longer has it: making it again", _ITSELF),
    CauseKind.DELETING_AGAIN: Explanation("it is still there: deleting it again", _ITSELF),
}

EXPLANATIONS: Mapping[CauseKind, Explanation] = {**_OF_MESSAGES, **_OF_RECORDS, **_OF_CALLS}
