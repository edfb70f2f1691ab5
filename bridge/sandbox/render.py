"""The pages' HTML: one place where values become markup, escaped, and one set of headers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from bridge.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

#: nothing but our own style sheet is loaded, nothing runs, and forms lead back here only
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def render(page: str, *, status: int = 200, **shown: Any) -> Response:
    """The page, named after its file in `pages/`, with what it is to show."""
    html = _pages().get_template(f"{page}.html").render(shown)
    return Response(html, status, HEADERS, media_type="text/html")


def style_sheet() -> Response:
    """The style of all pages."""
    environment = _pages()
    assert environment.loader is not None
    text = environment.loader.get_source(environment, "page.css")[0]
    return Response(text, 200, HEADERS, media_type="text/css")


@cache
def _pages() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only a person waits for it

    pages = Environment(
        loader=PackageLoader("bridge.sandbox", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    pages.filters |= {"moment": _moment, "clock": _clock, "indented": _indented, "value": _value}
    return pages


def _seen(value: Any) -> Any:
    """What an expression of a page stands for, with its hidden characters visible; the value of
    an input is escaped before (`|e`), so that it comes back as it was."""
    return visible(value, lines=True) if type(value) is str else value


def _moment(at: float) -> str:
    """`2026-03-01 09:30:00`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: float) -> str:
    """`09:30`."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _indented(sent: str | bytes) -> str:
    """JSON laid out for reading; what is none as it is."""
    try:
        return orjson.dumps(orjson.loads(sent), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return sent if isinstance(sent, str) else sent.decode("utf-8", "replace")


def _value(value: Any) -> str:
    """A field's value as JSON has it, text without its quotes."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
