"""A self-contained page: one HTML file that needs no network and may not use it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import install_hint
from crossin.reports.plots import Plot

_HERE = Path(__file__).parent
# What could end a script element or a line of script; lone surrogates, because UTF-8 cannot hold them.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def stand_alone(
    template: Path, values: Mapping[str, str], plots: Sequence[Plot], scripts: Sequence[Path] = ()
) -> str:
    """The HTML file `template` with `values` (HTML) in place of its `{{name}}`, and with the style, the
    `plots`, the scripts that draw them, and `scripts`. The page's policy allows these scripts only, and no
    requests.

    Raises CrossinError where plotly is not installed.
    """
    running = [_plotly(), *map(_read, (_HERE / "plots.js", *scripts))]
    filled = {
        **values,
        "policy": _policy(running),
        "style": _read(_HERE / "page.css"),
        "plots": "\n".join(map(_figure, plots)),
        "plot_data": script_json(plots),
        "scripts": "\n".join(f"<script>{script}</script>" for script in running),
    }
    # The template is scanned once, so that text put in is never taken for a placeholder.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: filled[found.group(1)], _read(template))


def script_json(value: Any) -> str:
    """JSON that is safe inside a script element, whatever the texts in it say."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise CrossinError(f"a figure cannot be written: {error}", hint="report this as a bug") from error
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _figure(plot: Plot) -> str:
    title, text = escape(plot["title"]), escape(plot["text"])
    instead = f"{title}: a plot of figures in the JSON file beside this page"
    return (
        f'<figure class="plot"><figcaption><h3>{title}</h3><p>{text}</p></figcaption>'
        f'<div id="plot-{plot["id"]}" role="img" aria-label="{instead}"></div></figure>'
    )


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise CrossinError("the page needs plotly", hint=install_hint("report")) from error
    # The policy's hash is of what the browser reads, and it reads line ends as \n.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("</script", "<\\/script")


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
