"""Where the mappings that come with the package are."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def mappings_folder() -> Path:
    """The folder of the shipped mappings, of a wheel or of a working copy.

    A wheel carries them as `bridge._mappings`; an editable install cannot import that name, so
    there the repository's own `mappings/` is taken.
    """
    spec = find_spec("bridge._mappings")
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(__file__).resolve().parent.parent / "mappings"
