"""What to do about each way a call to ZautoAI can fail; nothing in it is a patient's."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.delivery import Reason

_ADVICE: Mapping[Reason, str] = {
    Reason.UNREACHABLE: "check zauto.base_url, the name service and the firewalls",
    Reason.CERTIFICATE: "something stands between here and ZautoAI, or zauto.base_url is wrong",
    Reason.NO_ANSWER: "try again; if it lasts, ask ZautoAI (https://status.zautoai.com)",
    Reason.SERVER_ERROR: "try again; if it lasts, tell ZautoAI (api-support@zautoai.com)",
    Reason.UNREADABLE_ANSWER: "what answers there may not be ZautoAI: check zauto.base_url",
    Reason.NOT_THE_API: "what answers there may not be ZautoAI: check zauto.base_url",
    Reason.BAD_CREDENTIALS: "check BRIDGE_ZAUTO__CLIENT_ID and BRIDGE_ZAUTO__CLIENT_SECRET, and "
    "that ZautoAI made them for this address; restart the bridge with the right ones",
    Reason.UNAUTHORIZED: "ZautoAI gives a token and then refuses it: ask ZautoAI",
    Reason.FORBIDDEN: "ask ZautoAI to permit it to this client",
    Reason.LIMITED: "wait until the limit is reset; does anything else use this client id?",
    Reason.REDIRECTED: "zauto.base_url must be where ZautoAI answers itself, without a redirect",
    Reason.WRONG_RECORD: "tell ZautoAI that it answers with another record than was asked for",
}


def advice(reason: Reason) -> str:
    """What a person does about it; "" where nothing is to be done."""
    return _ADVICE.get(reason, "")
