"""What an operator chooses: `conf/bridge.yaml`, overridden by environment variables.

`BRIDGE_MLLP__PORT=2575` sets `mllp.port`. Secrets come from the environment, or from a file
whose path the environment names with `_FILE` behind (`BRIDGE_ZAUTO__CLIENT_SECRET_FILE`);
a secret written into the YAML file is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bridge.errors import SettingsError

PREFIX = "BRIDGE_"
Port = Annotated[int, Field(ge=0, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Section):
    """Caps on what comes in; each is checked before anything is parsed."""

    #: bytes of one MLLP frame, and of one HTTP body
    frame: int = Field(default=16 * 1024 * 1024, ge=1024)
    segments: int = Field(default=5_000, ge=1)
    #: fields of one segment
    fields: int = Field(default=1_000, ge=1)
    #: repetitions of one field
    repetitions: int = Field(default=1_000, ge=1)


class Mllp(_Section):
    """The MLLP listener."""

    host: str = "127.0.0.1"
    #: 2575 is the port IANA registered for HL7 over MLLP
    port: Port = 2575
    #: seconds from the first byte of a frame to its last
    frame_seconds: float = Field(default=60, gt=0)
    #: seconds without a frame after which a connection is closed; 0 never
    idle_seconds: float = Field(default=0, ge=0)
    #: seconds a sender is kept waiting when the store cannot keep, before it is hung up on
    busy_seconds: float = Field(default=20, gt=0)
    connections: int = Field(default=10_000, ge=1)


class Http(_Section):
    """The HTTP listener: FHIR, orders, health and metrics."""

    host: str = "127.0.0.1"
    port: Port = 8080
    #: bytes of one request body
    body: int = Field(default=16 * 1024 * 1024, ge=1024)
    #: seconds a request's head, and then its body, may take to come in
    read_seconds: float = Field(default=30, gt=0)


def _is_address(url: str) -> bool:
    """Whether a URL is a host, with port and path perhaps, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" @?#%\\")
    return plain and bool(parts.hostname) and port != 0


class CallLimits(_Section):
    """Requests ZautoAI allows one client."""

    hour: int = Field(default=1000, ge=1)
    minute: int = Field(default=100, ge=1)


class Zauto(_Section):
    """ZautoAI's API."""

    #: `https://api.zautoai.com`, or the sandbox's address; there is no default
    base_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    limits: Literal["documented", "off"] | CallLimits = "documented"
    #: seconds a lane stays quiet after a request whose effect is unknown
    quiet_seconds: float = Field(default=60, ge=0)
    #: seconds a request may take in all, and to connect
    deadline_seconds: float = Field(default=40, gt=0)
    connect_seconds: float = Field(default=5, gt=0)
    #: requests under way at once
    connections: int = Field(default=8, ge=1)
    #: operations ZautoAI lacks, `read patient-visits` (then lists are searched) or `update …`
    not_offered: tuple[Annotated[str, Field(pattern=r"^(read|update) [a-z-]+$")], ...] = ()
    #: hours that anything is held for a record that does not come, before it is parked
    hold_hours: float = Field(default=72, gt=0)

    def call_limits(self) -> CallLimits | None:
        """The limits in force, or None where there are none."""
        if self.limits == "off":
            return None
        return CallLimits() if self.limits == "documented" else self.limits

    @field_validator("base_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// or http://")
        if not _is_address(value):
            raise ValueError("must be an address such as https://api.zautoai.com, in ASCII")
        return value.rstrip("/")


class StoreSettings(_Section):
    """Where messages are kept."""

    #: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`
    url: str = "sqlite:///var/bridge.db"
    #: bytes that must stay free on the disk; below, nothing is acknowledged
    free_bytes: int = Field(default=256 * 1024 * 1024, ge=0)


class Key(_Section):
    """A door that takes a key: `Authorization: Bearer <key>` or `X-API-Key: <key>`."""

    api_key: SecretStr | None = None


class Hospital(_Section):
    """The hospital's interface engine, where orders go."""

    host: str = "127.0.0.1"
    port: Port | None = None
    #: MSH-3 to MSH-6 of what is sent
    sending_application: str = "ZAUTO"
    sending_facility: str = "ZAUTOAI"
    receiving_application: str = "HIS"
    receiving_facility: str = "HOSPITAL"
    version: str = "2.5.1"
    processing_id: str = "P"
    #: MSH-15 and MSH-16 of what is sent; both empty is the original mode
    accept_acknowledgment: str = ""
    application_acknowledgment: str = ""
    connect_seconds: float = Field(default=5, gt=0)
    answer_seconds: float = Field(default=30, gt=0)


class Site(_Section):
    """What is true of the hospital, and the policies its messages are read by."""

    name: str = "hospital"
    #: zone of times that name none, IANA name
    time_zone: str = "Asia/Kolkata"
    #: region of phone numbers without a country code, ISO 3166 alpha-2
    country: str = "IN"
    currency: str = "INR"
    #: identifier types that may be `id`, best first (HL7 table 0203); then the first of any type
    identifier_types: tuple[str, ...] = ("MR", "PI")
    #: what makes the number `uhid`, tried in order: `digits` (all digits, separators dropped,
    #: at most 15), `prefix` (letters then digits), `allocate` (a durable counter)
    uhid: tuple[Literal["digits", "prefix", "allocate"], ...] = ("digits", "prefix", "allocate")
    #: take the next of kin's phone where the patient has none
    next_of_kin_phone: bool = False
    #: sent as phoneNumber where there is no phone at all; null parks the message
    placeholder_phone: str | None = None
    #: groups of assigning authorities or systems that mean the same one
    same_authorities: tuple[tuple[str, ...], ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{value}' is not an IANA time zone such as Asia/Kolkata") from error
        return value


class Channel(_Section):
    """One way in, with the policies that hang on it."""

    name: str
    listener: Literal["mllp", "fhir", "orders"] = "mllp"
    #: MSH-3 and MSH-4 a message must carry to belong here; empty takes any
    sending_application: str = ""
    sending_facility: str = ""
    #: charset of messages whose MSH-18 is empty and that are not UTF-8
    fallback_charset: str = "cp1252"
    unknown_types: Literal["accept", "reject"] = "accept"
    #: MSH-11 values taken; empty takes any
    processing_ids: tuple[str, ...] = ()
    #: version read into an empty MSH-12
    default_version: str = "2.5.1"


class Mappings(_Section):
    """Which mappings are used."""

    #: folder of the shipped set; null takes the one installed with the package
    folder: Path | None = None
    #: folder of this hospital's own, laid over the other by name
    site: Path | None = None


class Settings(_Section):
    """All of it."""

    site: Site = Site()
    limits: Limits = Limits()
    mllp: Mllp = Mllp()
    http: Http = Http()
    zauto: Zauto = Zauto()
    store: StoreSettings = StoreSettings()
    fhir: Key = Key()
    orders: Key = Key()
    hospital: Hospital = Hospital()
    mappings: Mappings = Mappings()
    channels: tuple[Channel, ...] = (Channel(name="default"),)

    @field_validator("channels")
    @classmethod
    def _distinct(cls, value: tuple[Channel, ...]) -> tuple[Channel, ...]:
        names = [channel.name for channel in value]
        if not names or len(set(names)) != len(names):
            raise ValueError("needs at least one channel, and every name only once")
        return value


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: `off` and `NO` (Norway) are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, word) for tag, word in resolvers if not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))

SECRETS = (
    ("zauto", "client_secret"),
    ("fhir", "api_key"),
    ("orders", "api_key"),
)


def load(file: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file, lay the environment over it and check the whole.

    Raises SettingsError naming every wrong setting.
    """
    environment = os.environ if environment is None else environment
    values = _from_file(file) if file is not None else {}
    _refuse_secrets(values, file)
    named = {}
    for name, path, value in _from_environment(environment):
        _put(values, path, value)
        named[".".join(path)] = name
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_told(error, file, named)) from error


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: is not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: must hold sections such as 'mllp:', not a list or a word")
    return values


def _refuse_secrets(values: Mapping[str, Any], file: Path | None) -> None:
    for section, key in SECRETS:
        if isinstance(values.get(section), dict) and values[section].get(key) is not None:
            name = f"{PREFIX}{section}__{key}".upper()
            raise SettingsError(
                f"{file}: {section}.{key}: a secret does not belong in this file; "
                f"set {name}, or {name}_FILE to the path of a file that holds it"
            )


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, list[str], str]]:
    """Each variable's name, the setting it is for, and its value."""
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[-1].endswith("_file"):
            path[-1] = path[-1].removesuffix("_file")
            value = _secret_file(name, value)
        yield name, path, value


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: {path} is not UTF-8 at byte {error.start}") from error


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        values[key] = dict(inner) if isinstance(inner, dict) else {}
        values = values[key]
    values[path[-1]] = value if value != "" else None


#: what a kind of fault is called here; pydantic speaks to programmers
_FAULTS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "tuple_type": "must be a list",
    "model_type": "must be a section with settings of its own",
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
}


def _told(error: ValidationError, file: Path | None, named: Mapping[str, str]) -> str:
    """A line a setting: where it was set, what is wrong, what would be right."""
    told: dict[tuple[str, ...], list[str]] = {}
    for fault in error.errors(include_input=False):
        keys = tuple(str(part) for part in fault["loc"] if not _names_a_kind(part))
        if fault["type"] == "extra_forbidden":
            text = f"is not a setting{_meant(keys)}"
        else:
            usual = _FAULTS.get(fault["type"], "").format(**fault.get("ctx", {}))
            text = usual or fault["msg"].removeprefix("Value error, ")
        told.setdefault(keys, []).append(text)
    return "\n".join(
        f"{_place(keys, file, named)}: {', or '.join(texts)}" for keys, texts in told.items()
    )


def _place(keys: tuple[str, ...], file: Path | None, named: Mapping[str, str]) -> str:
    """The variable that set it, else the file and the setting's name."""
    dotted = ".".join(keys)
    for setting, name in named.items():
        if setting == dotted or setting.startswith(f"{dotted}."):
            return name
    return f"{file}: {dotted}" if file else dotted


def _meant(keys: tuple[str, ...]) -> str:
    """The nearest word among the settings of the same section."""
    section: Any = Settings
    for key in keys[:-1]:
        if not key.isdecimal():
            section = _section(section.model_fields[key].annotation)
    near = get_close_matches(keys[-1], section.model_fields, 1)
    return f". Did you mean '{near[0]}'?" if near else ""


def _section(annotation: Any) -> Any:
    """The section within the type of a setting: itself, or one of a list or a choice."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section, get_args(annotation))), None)


def _names_a_kind(part: int | str) -> bool:
    """Whether pydantic added it to a path to say which of several kinds a value was read as."""
    return isinstance(part, str) and ("[" in part or part[:1].isupper())
