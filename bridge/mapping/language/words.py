"""What each word of the mapping language says: for editors (`schema`) and for the reference."""

from __future__ import annotations

from collections.abc import Mapping

MAPPING: Mapping[str, str] = {
    "about": "what the file is for, for people",
    "messages": "the message types it takes; each type has one mapping",
    "needs": "records that must be known first, by resource and the path of their id; until then "
    "the message is held",
    "calls": "what is called, in this order: what others refer to comes first",
    "nothing": "in place of `calls`: why these messages ask for nothing that ZautoAI keeps",
    "ignore": "paths left out on purpose: `bridge coverage` does not count them as forgotten",
}

CALL: Mapping[str, str] = {
    "upsert": "the record exists afterwards and holds these fields",
    "create": "the record exists afterwards; what it holds already is left alone",
    "delete": "the record is not there any more; one that others belong to is not deleted",
    "merge": "the record is another one's, `into`: what belonged to it belongs to that, and later "
    "messages with its number are about that; `fields` say what is left on it",
    "move": "the record belongs to `into` and no longer to `owner`; both stay as they are",
    "rename": "the record goes by another number, `into`",
    "send": "an HL7 message goes to the hospital",
    "use": "the part that makes it",
    "each": "one call for each: HL7 segments by name (the first begins a group, the others are "
    "those that follow it in there) or repetitions of a field, or the items at a FHIR or order "
    "path, which are `$this` or `line` in the part",
    "when": "only if this is so",
    "otherwise": "why nothing is called where `when` does not hold, for the remark that says so",
    "required": "without this call the message has a problem and none is made; in place of `true` "
    "conditions: only where these and `when` hold",
    "linked": "FHIR: the resource's own name (`Patient/123`) leads to this record from now on, "
    "and the record keeps its first id",
}

PART: Mapping[str, str] = {
    "about": "what the file is for, for people",
    "like": "another part: this one says only in what it differs, field by field; a field without "
    "rules (`[]`) is not filled",
    "source": "whose paths are used: `hl7v2`, `fhir`, `orders`",
    "resource": "the ZautoAI resource it makes",
    "message": "in place of `resource`: the HL7 message type it makes for the hospital",
    "id": "rules for the record's id; without one there is no call",
    "authority": "who assigned the id",
    "into": "of `merge` and `rename`: the id that it leads to from then on; of `move`: the id of "
    "the record that it belongs to from then on",
    "owner": "of `move`: the id of the record that it belonged to; of an account always",
    "also": "other ids of the same record: what any of them leads to is the record",
    "numbers": "the paths of all numbers that the message gives for the record (`id`), for `into` "
    "and for `owner`: where they lead to two records, or lack the issuer that the record has, "
    "merges, moves, changes of number and deletions are refused",
    "requires": "fields without which the call is not made",
    "choose": "HL7: which of several segments of one name is read: the first whose value `is` one "
    "of these, else the first whose value is `not` one of those",
    "fields": "the payload, each field with its rule",
    "facts": "what is remembered of the record beside the payload, for orders to the hospital",
    "segments": "what the message is made of, in this order",
    "ignore": "paths left out on purpose: `bridge coverage` does not count them as forgotten",
}

ALSO: Mapping[str, str] = {
    "id": "rules for the other id",
    "authority": "who assigned it",
    "guessed": "`guessed: true`: nobody says that it is this record's; it counts only where a "
    "record of the same owner goes by it",
}

NUMBERS: Mapping[str, str] = {
    "id": "where the numbers of the record stand",
    "into": "where those of the record stand that it leads to or belongs to from then on",
    "owner": "where those of the record stand that it belongs to, or belonged to",
}

SEGMENT: Mapping[str, str] = {
    "segment": "its name",
    "when": "only if this is so",
    "requires": "places without which the segment is not written",
    "fields": "its fields by place: `3`, `3.1`, `3[2].1`",
    "each": "the path of a list: `segments` are written for every item, which is `line` in there",
    "order": "what each item says of an order: those that say nothing new to the hospital are left "
    "out, and `line.control`, `line.service_key`, `line.credit` and `line.charge` say what is sent",
    "segments": "what is written for each item",
}

ORDER: Mapping[str, str] = {
    "control": "the order control (table 0119): `NW`, `XO`, `CA` or `DC`; any other is a status",
    "status": "the order status (table 0038), where `CM` means completed; without one the pushed "
    "word counts",
    "price": "what it costs, a plain number",
}

RULE: Mapping[str, str] = {
    "from": "a path, or several of which the first that gives a value counts",
    "constant": "always this",
    "site": "a setting of `site:`",
    "id_of": "the id of a call made before; for `each`, the one of the same group",
    "clear": "an explicit null: the stored value is deleted",
    "as": "the function that makes the value; without one it is copied",
    "zone": "with `as: date_time`, `earliest`, `hl7_time` or `hl7_date`: the zone of a time that "
    "names none, in place of the site's",
    "unit": "with `as: quantity`: the unit wanted",
    "stated": "with `as: quantity`: the unit meant where none is named",
    "units": "with `as: dose_minimum`, `dose_maximum`, `dose_unit` or `dose_unread`: the code "
    "table whose rows are the units that a dose may be in",
    "codes": "the table that the value is looked up in; of several values the first with a row",
    "default": "the value where the paths give none",
    "join": "all values of all paths, with this between them",
    "prefix": "this before the value, so that it is like no value of another kind",
    "on": "`on: create`: sent when the record is made, and never by an update",
    "when": "the rule counts only if this is so",
}

TEST: Mapping[str, str] = {
    "path": "the path whose values are asked; alone: it has a value. Of HL7 it may be the name of "
    "a segment: the message has one",
    "is": "one of its values is one of these",
    "not": "none of its values is one of these, or it has none",
    "empty": "`empty: true`: the path has no value",
    "site": "this yes/no setting of `site:` is on; with `is` or `not`: what a setting of words is",
}

TABLE: Mapping[str, str] = {
    "about": "where the codes come from, for people",
    "otherwise": "what becomes of a code without a row: `drop` (with a remark), `keep` (the code "
    "itself), `hold` (the message waits for a row), or any other word, which is then its value",
    "rows": "code to value; codes are compared without regard to case",
    "senders": "rows of single senders, by sending application or `APPLICATION|FACILITY`; the more "
    "exact counts first, then `rows`",
}
