"""Folders of mapping files, read into memory: from then on a set of mappings needs no disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import Fault
from bridge.lineage import Legend
from bridge.message import Protocol
from bridge.settings import Site
from bridge.yamlfile import nearest, text_of

PARTS, CODES, CATALOGUE = "parts", "codes", "zauto"
KINDS = (*(protocol.value for protocol in Protocol), PARTS, CODES, CATALOGUE)
SUFFIX = ".yaml"
#: a file of tests beside a mapping, `hl7v2/adt_registration_test.yaml`
_TEST = "_test"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of mappings and what its files say."""

    #: where it is, for people
    label: str
    #: text by name within the folder, `parts/patient_from_pid.yaml`, in order
    files: Mapping[str, str]

    def mappings(self) -> Iterator[tuple[str, str, str]]:
        """Of each mapping, part and code table its name (`parts/patient_from_pid`), file, text."""
        for name, text in self.files.items():
            stem = name.removesuffix(SUFFIX)
            if not stem.startswith(f"{CATALOGUE}/") and not stem.endswith(_TEST):
                yield stem, self._file(name), text

    def tests(self) -> Iterator[tuple[str, str, str]]:
        """Of each file of tests the mapping it is beside (`hl7v2/adt_registration`), file, text."""
        for name, text in self.files.items():
            stem = name.removesuffix(SUFFIX)
            if stem.endswith(_TEST):
                yield stem.removesuffix(_TEST), self._file(name), text

    def _file(self, name: str) -> str:
        return f"{self.label}/{name}" if self.label else name

    def tables(self) -> list[str]:
        """Names of its code tables."""
        prefix = f"{CODES}/"
        found = (name for name, _, _ in self.mappings() if name.startswith(prefix))
        return [name.removeprefix(prefix) for name in found]


def read_folder(path: Path, faults: list[Fault]) -> Folder:
    """Everything in a folder; what cannot be read is a fault."""
    files: dict[str, str] = {}
    if not path.is_dir():
        faults.append(Fault(str(path), 1, 1, "", "is not a folder of mappings."))
    for file in sorted(path.glob("*/*.yml")):
        faults.append(Fault(str(file), 1, 1, "", f"is not read; let its name end in {SUFFIX}."))
    for file in sorted(path.glob(f"*/*{SUFFIX}")):
        kind = file.parent.name
        if kind not in KINDS:
            message = f"'{kind}' is not a folder of mappings; there are {', '.join(KINDS)}."
            faults.append(Fault(str(file), 1, 1, "", message, nearest(kind, KINDS)))
            continue
        try:
            text = text_of(file, faults)
        except OSError as error:
            faults.append(Fault(str(file), 1, 1, "", f"cannot be read: {error.strerror}"))
            continue
        if text is not None:
            files[f"{kind}/{file.name}"] = text
    return Folder(str(path), files)


def content_hash(folders: Sequence[Folder], site: Site, legend: Legend) -> str:
    """The same for the same contents under the same names, wherever the folders are.

    The settings of `site:` are in it, because they decide which rules there are; so is the order of
    the rules, because lineage is kept as their numbers, and another version of the bridge may
    number them otherwise.
    """
    digest = hashlib.sha256(site.model_dump_json().encode())
    for number, folder in enumerate(folders):
        for name, text in folder.files.items():
            if not name.removesuffix(SUFFIX).endswith(_TEST):
                digest.update(f"{number}/{name}\0{text}\0".encode())
    for rule in legend:
        digest.update(f"{rule.field}\0{rule.made_by}\0".encode())
    return digest.hexdigest()[:16]
