"""The package: what it is called, what it needs, what is shipped with it."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "bridge/__init__.py").read_text())

#: what runs; `requirements.txt` holds the exact versions and their hashes
RUNTIME = [
    "twisted>=24.7",  # MLLP
    "pyOpenSSL>=24.3",
    "service-identity>=24",
    "hl7apy>=1.3.5",  # the standard's grammar
    "hl7>=0.4.5",  # batch files
    "fhir.resources>=8.0",
    "orjson>=3.10",
    "httpx>=0.28",  # ZautoAI
    "httpcore>=1.0.4",  # its `target` extension
    "sniffio>=1.3",  # httpcore looks for it at every call, dearly when it is not there
    "starlette>=0.49.1",
    "uvicorn>=0.34",
    "httptools>=0.6",
    "jinja2>=3.1.6",  # the sandbox's pages
    "h11>=0.16",
    "pydantic>=2.10",
    "pyyaml>=6.0",
    "typer>=0.15",
    "rich>=13",
    "structlog>=25",
    "prometheus-client>=0.21",
    "phonenumbers>=8.13",
    "tzdata",  # time zones on machines that have none
]

setup(
    name="zautoai-bridge",
    version=VERSION.group(1) if VERSION else "0",
    description="Connects hospital systems that speak HL7 v2 and FHIR to ZautoAI",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["bridge", "bridge.*"]), "bridge._mappings"],
    package_dir={"bridge._mappings": "mappings"},
    package_data={
        "bridge": ["py.typed"],
        "bridge.cli.coverage": ["*.css"],
        "bridge.sandbox": ["pages/*", "*.sql"],
        "bridge.store": ["*.sql", "**/*.sql"],
        "bridge._mappings": ["*.yaml", "**/*.yaml"],
    },
    install_requires=RUNTIME,
    entry_points={"console_scripts": ["bridge = bridge.__main__:main"]},
)
