"""A picture of arms: a dot for each figure with its interval, as SVG without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from crossin.core.files import write_text
from crossin.metrics.bootstrap import Figure

_COLOURS = ("#0b6e99", "#c0504d", "#5a8f29", "#7d5ba6")
_LEFT, _WIDTH, _ROW, _TOP = 230, 720, 22, 46


class Dot(NamedTuple):
    """A line of the picture: an arm in a panel, and its figures by name, between 0 and 1."""

    panel: str
    arm: str
    figures: Mapping[str, Figure]


def write_plot(path: Path, dots: Sequence[Dot]) -> None:
    """Write the picture: a panel for each benchmark, a line for each arm, intervals of 95% as bars."""
    names = list(dict.fromkeys(name for dot in dots for name in dot.figures))
    panels = list(dict.fromkeys(dot.panel for dot in dots))
    values = [edge for dot in dots for one in dot.figures.values() for edge in (one.low, one.high)]
    low, high = min(values, default=0), max(values, default=1)
    start, end = max(0, int(low * 20 - 1) / 20), min(1, int(high * 20 + 2) / 20)

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 20) * (value - start) / (end - start)

    parts, y = [], float(_TOP)
    for number, name in enumerate(names):
        left = _LEFT + 120 * number
        parts.append(f'<circle cx="{left}" cy="16" r="4" fill="{_COLOURS[number]}"/>')
        parts.append(f'<text x="{left + 9}" y="20">{escape(name)}</text>')
    for panel in panels:
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(panel)}</text>')
        top = y + 8
        for dot in dots:
            if dot.panel != panel:
                continue
            y += _ROW
            parts.append(f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(dot.arm)}</text>')
            for number, name in enumerate(names):
                if (one := dot.figures.get(name)) is None:
                    continue
                height, colour = y - 3 + 6 * number, _COLOURS[number]
                ends = f'x1="{x(one.low):.1f}" x2="{x(one.high):.1f}" y1="{height}" y2="{height}"'
                parts.append(f'<line {ends} stroke="{colour}" stroke-width="2"/>')
                parts.append(f'<circle cx="{x(one.value):.1f}" cy="{height}" r="3.5" fill="{colour}"/>')
        ticks = [step / 20 for step in range(round(start * 20), round(end * 20) + 1) if step % 2 == 0]
        for tick in ticks:
            line = f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{y + 12}" stroke="#ddd"/>'
            parts.insert(0, line)
            place = f'x="{x(tick):.1f}" y="{y + 26}" text-anchor="middle" fill="#666"'
            parts.append(f"<text {place}>{tick:.0%}</text>")
        y += 2.4 * _ROW
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y:.0f}"'
    font = 'font-family="sans-serif" font-size="13"'
    background = '<rect width="100%" height="100%" fill="white"/>'
    write_text(path, f"<svg {frame} {font}>{background}{''.join(parts)}</svg>\n")
