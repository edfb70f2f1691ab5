"""Remarks: what a translation met and continued from, as a code, a place and what stood there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class RemarkCode(StrEnum):
    """Every kind of remark."""

    # a call that is not made
    NOTHING_KEPT = "nothing_kept"
    NOT_CALLED = "not_called"
    LEFT_OUT = "left_out"
    NOTHING_NEW = "nothing_new"
    # a value that is not taken
    MUST_NOT_BE_EMPTY = "must_not_be_empty"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_CODE = "unknown_code"
    NO_WHOLE_DATE = "no_whole_date"
    PARTIAL_BIRTH_DATE = "partial_birth_date"
    NOT_A_DATE = "not_a_date"
    NOT_A_TIME = "not_a_time"
    NO_MINUTE = "no_minute"
    OBJECT = "object"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_A_QUANTITY = "not_a_quantity"
    OTHER_UNIT = "other_unit"
    NOT_A_PHONE = "not_a_phone"
    NOT_AN_EMAIL = "not_an_email"
    NOT_AN_AADHAAR_NUMBER = "not_an_aadhaar_number"
    NOT_AN_AMOUNT = "not_an_amount"
    NO_UHID = "no_uhid"
    NOT_A_PATIENT = "not_a_patient"
    PROVIDER_WITHOUT_NAME = "provider_without_name"
    PROVIDER_WITHOUT_ID = "provider_without_id"
    # lines of an HL7 v2 message
    LINE_PADDED = "line_padded"
    LINE_LOWER_CASE = "line_lower_case"
    LINE_UNKNOWN = "line_unknown"
    # what is odd about the message as a whole
    CONTROL_ID_REUSED = "control_id_reused"
    ID_OF_ANOTHER = "id_of_another"
    TWO_RECORDS = "two_records"

    # looked up for every remark, and an Enum's own hash is written in Python
    __hash__ = str.__hash__


#: what each says; `{name}` is a constant of the mappings or settings
SENTENCES: Mapping[RemarkCode, str] = {
    RemarkCode.NOTHING_KEPT: "{name}",
    RemarkCode.NOT_CALLED: "{name}",
    RemarkCode.LEFT_OUT: "{name}",
    RemarkCode.NOTHING_NEW: "says nothing new to the hospital; left out",
    RemarkCode.MUST_NOT_BE_EMPTY: "asks to delete {name}, which must not be empty; left as it is",
    RemarkCode.WRONG_TYPE: "is not a {name}; left out",
    RemarkCode.UNKNOWN_CODE: "holds a code that codes/{name} does not know; left out",
    RemarkCode.NO_WHOLE_DATE: "holds no whole date; left out",
    RemarkCode.PARTIAL_BIRTH_DATE: (
        "holds no whole date; left out (site.partial_birth_dates: drop)"
    ),
    RemarkCode.NOT_A_DATE: "is not a date; left out",
    RemarkCode.NOT_A_TIME: "is not a date and time; left out",
    RemarkCode.NO_MINUTE: "names no hour and minute; no visit number is made of it",
    RemarkCode.OBJECT: "holds an object where one value is needed",
    RemarkCode.NOT_AN_INTEGER: "is not a whole number",
    RemarkCode.NOT_A_QUANTITY: "is not a quantity; left out",
    RemarkCode.OTHER_UNIT: "is not a quantity that can be converted to {name}; left out",
    RemarkCode.NOT_A_PHONE: "is not a phone number that can be called; left out",
    RemarkCode.NOT_AN_EMAIL: "is not an e-mail address; left out",
    RemarkCode.NOT_AN_AADHAAR_NUMBER: ("an Aadhaar number has twelve digits; this one is left out"),
    RemarkCode.NOT_AN_AMOUNT: "is not an amount of money; left out",
    RemarkCode.NO_UHID: "site.uhid makes no number of the identifier",
    RemarkCode.NOT_A_PATIENT: "does not refer to a patient",
    RemarkCode.PROVIDER_WITHOUT_NAME: ("a provider's id without a name; no provider is made of it"),
    RemarkCode.PROVIDER_WITHOUT_ID: "a provider's name without an id; no provider is made of it",
    RemarkCode.LINE_PADDED: "has blanks around its segment name; read nevertheless",
    RemarkCode.LINE_LOWER_CASE: "has a segment name in lower case; not read",
    RemarkCode.LINE_UNKNOWN: "is not a segment; not read",
    RemarkCode.CONTROL_ID_REUSED: "was used before, by message {name}, for other content",
    RemarkCode.ID_OF_ANOTHER: (
        "its id is that of a record with other ids; this one is a record of its own"
    ),
    RemarkCode.TWO_RECORDS: (
        "its ids are those of two records; they stay two until the hospital merges them"
    ),
}

#: remarks after which a person must do something by hand
BY_HAND = frozenset({RemarkCode.LEFT_OUT})
#: characters kept of what the sender wrote
MOST_SENT = 100


class Remark(NamedTuple):
    """One remark; `sent` is patient data, everything else is not."""

    code: RemarkCode
    #: source path, or target resource
    path: str
    #: a constant that the sentence names
    name: str = ""
    #: what stood there, at most 100 characters
    sent: str = ""

    @property
    def place(self) -> str:
        """The path without the number of a value or line, so that one place counts as one:
        `PID-13` for `PID-13 #2`, `line` for `line 7`."""
        path = self.path.partition(" #")[0]
        return "line" if path.startswith("line ") else path

    @property
    def text(self) -> str:
        """What is odd, without the place and without what stood there."""
        return SENTENCES[self.code].format(name=self.name)
