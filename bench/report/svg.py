"""Pictures: bars and lines, as SVG that is read on light and on dark paper."""

import math
from html import escape

COLOURS = (("#4a6fa5", "#8fb4e8"), ("#c06c3e", "#e9a27a"), ("#4c8a5b", "#8fcf9f"), ("#8a5a94", "#c79bd1"))
STYLE = """<style>
svg { font: 13px system-ui, sans-serif; background: var(--paper) }
svg { --paper: #ffffff; --ink: #1f2328; --faint: #8b949e; --rule: #d8dee4; LIGHT }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --faint: #8b949e; --rule: #30363d; DARK } }
text { fill: var(--ink) } .faint { fill: var(--faint) } .rule { stroke: var(--rule) } .goal { stroke: var(--ink); stroke-dasharray: 4 3 }
</style>"""


def _page(width, height, title, body):
    light = " ".join(f"--c{i}: {c[0]};" for i, c in enumerate(COLOURS))
    dark = " ".join(f"--c{i}: {c[1]};" for i, c in enumerate(COLOURS))
    style = STYLE.replace("LIGHT", light).replace("DARK", dark)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
            f"<title>{escape(title)}</title>\n{style}\n<rect width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>\n"
            + _text(12, 22, title, weight="600") + "\n".join(body) + "\n</svg>\n")


def _text(x, y, text, anchor="start", kind="", weight=""):
    more = (f' class="{kind}"' if kind else "") + (f' font-weight="{weight}"' if weight else "")
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(str(text))}</text>\n'


def _legend(names, y):
    parts, x = [], 12
    for i, name in enumerate(names):
        parts.append(f'<rect x="{x}" y="{y - 10}" width="11" height="11" fill="var(--c{i})"/>' + _text(x + 16, y, name))
        x += 34 + 7.2 * len(name)
    return parts


def figure(value):
    """A number as one says it: three digits of it at most, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.001 else "0"


def bars(title, series, rows, unit="", goal=None):
    """Rows of (label, [value or nothing for each of the series]), drawn from zero. `goal`: a line across."""
    left, right, top, bar = 12 + 7.2 * max(len(label) for label, _ in rows), 90, 62, 13
    width = 760
    values = [v for _, vs in rows for v in vs if v is not None] + ([goal] if goal else [])
    scale = (width - left - right) / (max(values, default=1) or 1)
    body, y = _legend(series, 44), top
    for label, row in rows:
        body.append(_text(left - 8, y + bar * len(row) / 2 + 4, label, "end"))
        for i, value in enumerate(row):
            if value is not None:
                body.append(f'<rect x="{left:g}" y="{y:g}" width="{max(value * scale, 1):.1f}" height="{bar - 2}" fill="var(--c{i})"/>'
                            + _text(left + value * scale + 6, y + bar - 3, figure(value) + unit))
            y += bar
        y += 9
    if goal:
        x = left + goal * scale
        body.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{y}"/>' + _text(x, y + 12, f"goal {goal:g}{unit}", "middle", "faint"))
    return _page(width, y + 22, title, body)


def lines(title, x_name, y_name, series):
    """{name: [(x, y)]}, both on logarithmic axes."""
    width, height, left, right, top, bottom = 760, 400, 70, 24, 62, 46
    points = [p for ps in series.values() for p in ps]
    (x0, x1), (y0, y1) = ((math.floor(math.log10(min(v))), math.ceil(math.log10(max(v)))) for v in zip(*points))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)

    def at(x, y):
        return (left + (math.log10(x) - x0) / (x1 - x0) * (width - left - right),
                height - bottom - (math.log10(y) - y0) / (y1 - y0) * (height - top - bottom))

    body = _legend(series, 44)
    for e in range(y0, y1 + 1):
        y = at(10 ** x0, 10.0 ** e)[1]
        body.append(f'<line class="rule" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>' + _text(left - 8, y + 4, f"{10.0 ** e:g}", "end", "faint"))
    for e in range(x0, x1 + 1):
        x = at(10.0 ** e, 10.0 ** y0)[0]
        body.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - bottom}"/>' + _text(x, height - bottom + 18, f"{10.0 ** e:,g}" if e < 7 else "10,000,000", "middle", "faint"))
    body += [_text((left + width - right) / 2, height - 8, x_name, "middle"), _text(width - right, 44, y_name, "end", "faint")]
    for i, ps in enumerate(series.values()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in sorted(ps)))
        body.append(f'<polyline points="{path}" fill="none" stroke="var(--c{i})" stroke-width="2"/>')
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var(--c{i})"/>' for x, y in (at(*p) for p in ps)]
    return _page(width, height, title, body)
