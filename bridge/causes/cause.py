"""A cause and its parameters."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from bridge.message import Verdict

#: stands for a field that the catalogue does not have
OTHER_FIELD = "(other field)"
#: characters kept of the words of a destination, and of what a sender wrote
MOST_SAID, MOST_SENT = 500, 100


class CauseKind(StrEnum):
    """Every reason for which something is not delivered, or is done without a call."""

    # a message as a whole
    UNMAPPED = "unmapped"
    NOTHING_KEPT = "nothing_kept"
    NOTHING_TO_SEND = "nothing_to_send"
    REFUSED_AT_DOOR = "refused_at_door"
    UNREADABLE = "unreadable"
    NO_USABLE_ID = "no_usable_id"
    NOT_CALLED = "not_called"
    SITE_PARKS = "site_parks"
    WAITS_FOR_CODE = "waits_for_code"
    WAITS_FOR_RECORD = "waits_for_record"
    BEHIND_MESSAGE = "behind_message"
    DID_NOT_COME = "did_not_come"
    NOT_SENT_IN_TIME = "not_sent_in_time"
    BRIDGE_FAULT = "bridge_fault"
    # which record is meant
    CONFLICT_ISSUER = "conflict_issuer"
    NO_ISSUER = "no_issuer"
    TWO_RECORDS = "two_records"
    NUMBER_TAKEN = "number_taken"
    ANOTHER_OWNER = "another_owner"
    ANOTHER_RECORD = "another_record"
    OWNER_IN_DOUBT = "owner_in_doubt"
    HAS_DEPENDENTS = "has_dependents"
    # merges, moves, changes of number
    MERGED = "merged"
    MOVED = "moved"
    RENAMED = "renamed"
    RENUMBERED = "renumbered"
    SAME_NUMBER = "same_number"
    SAME_RECORD = "same_record"
    PERSON_CHANGED = "person_changed"
    PRIOR_UNKNOWN = "prior_unknown"
    GIVEN_UP_NUMBER = "given_up_number"
    # a call that is not made
    INCOMPLETE = "incomplete"
    NOTHING_CHANGED = "nothing_changed"
    EXISTS = "exists"
    GONE = "gone"
    NOT_OURS = "not_ours"
    NOT_OFFERED = "not_offered"
    # what a destination answered
    REFUSED_FIELDS = "refused_fields"
    REFUSED = "refused"
    BEHIND_REFUSED_ORDER = "behind_refused_order"
    WRONG_RECORD = "wrong_record"
    NO_CLEAR_ANSWER = "no_clear_answer"
    ID_TAKEN = "id_taken"
    APPEARS_AND_VANISHES = "appears_and_vanishes"
    MISSING_REFERENT = "missing_referent"
    WAITS_FOR_REFERENT = "waits_for_referent"
    BEHIND_EVENT = "behind_event"
    # a call that waits for its next attempt
    RETRY = "retry"
    PAUSED = "paused"
    READING = "reading"
    SENDING_AGAIN = "sending_again"
    UPDATING = "updating"
    MAKING_AGAIN = "making_again"
    DELETING_AGAIN = "deleting_again"
    # a message of an earlier version of the bridge, which kept a sentence
    EARLIER_VERSION = "earlier_version"

    # looked up for each delivery, and an Enum's own hash is written in Python
    __hash__ = str.__hash__


# A named tuple: one is made for most deliveries, and a frozen dataclass takes three times as long.
class Cause(NamedTuple):
    """Why something is where it is.

    All parameters but `key`, `said` and `sent` are constants of the catalogue, the settings or a
    standard, so that they can be shown and counted. `said` and `sent` hold foreign text.
    """

    kind: CauseKind
    #: names of fields of the catalogue
    fields: tuple[str, ...] = ()
    #: where in the message: `PID-13`, `Patient.birthDate`
    path: str = ""
    #: a resource of the catalogue, or a protocol's word for what is meant: `patients`
    resource: str = ""
    #: the record it is about, `patients/P1`; the number in it is patient data
    key: str = ""
    #: a code table
    table: str = ""
    #: another message
    message_id: int = 0
    #: how many: visits, tries
    number: int = 0
    #: who issued a number before, and who does now; "" for nobody
    issuer: str = ""
    other_issuer: str = ""
    #: a constant that the kind explains: a setting, a word of the state table, a type of error
    name: str = ""
    #: a code: of HL7 table 0357 or an acknowledgment, or an HTTP status
    code: str = ""
    #: what the destination said, at most 500 characters
    said: str = ""
    #: what the sender wrote, at most 100 characters
    sent: str = ""
    #: who has to act, where the kind alone does not say
    by: Verdict | None = None

    def parameters(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON keeps it, foreign text cut to its limit."""
        stated = {name: getattr(self, name) for name in _DEFAULTS}
        stated["said"] = cut(self.said, MOST_SAID)
        stated["sent"] = cut(self.sent, MOST_SENT)
        return {name: value for name, value in stated.items() if value != _DEFAULTS[name]}

    @classmethod
    def stored(cls, kind: str, parameters: dict[str, Any]) -> Cause:
        """The cause that was kept as this kind and these parameters; those that this version
        does not know are left out."""
        known = {
            name: value
            for name, value in parameters.items()
            if name in _DEFAULTS and value is not None
        }
        if "fields" in known:
            known["fields"] = tuple(known["fields"])
        if "by" in known:
            known["by"] = Verdict(known["by"])
        return cls(CauseKind(kind), **known)


_DEFAULTS = Cause._field_defaults


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
