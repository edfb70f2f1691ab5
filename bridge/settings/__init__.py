"""What an operator chooses: `conf/bridge.yaml`, overridden by environment variables.

`BRIDGE_MLLP__PORT=2575` sets `mllp.port`. Secrets come from the environment, or from a file
whose path the environment names with `_FILE` behind (`BRIDGE_ZAUTO__CLIENT_SECRET_FILE`);
a secret written into the YAML file is refused. No fault repeats a value: it may be a secret.
"""

from __future__ import annotations

from bridge.settings.acknowledging import SAME, AcknowledgmentPolicy
from bridge.settings.environment import PREFIX, SECRETS
from bridge.settings.reading import changed, load
from bridge.settings.sections import (
    HTTP_LISTENERS,
    CallLimits,
    Channel,
    Hospital,
    Http,
    Key,
    Limits,
    MappingSettings,
    Mllp,
    Settings,
    Site,
    StoreSettings,
    Tls,
    Zauto,
)

__all__ = [
    "HTTP_LISTENERS",
    "PREFIX",
    "SAME",
    "SECRETS",
    "AcknowledgmentPolicy",
    "CallLimits",
    "Channel",
    "Hospital",
    "Http",
    "Key",
    "Limits",
    "MappingSettings",
    "Mllp",
    "Settings",
    "Site",
    "StoreSettings",
    "Tls",
    "Zauto",
    "changed",
    "load",
]
