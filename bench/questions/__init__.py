"""One module a question, in the order of docs/performance.md.

    TITLE, ASKS                what is asked, for the page
    NEEDS                      what it uses; without what is REQUIRED (of these) too, nothing is measured
    PACKAGES                   of Debian's, whose versions stand beside the figures
    measure(turns) -> result   {"rows": [...], "not_measured": {what: why}}
    table(result), picture(result) -> Markdown, SVG (or nothing, where there is nothing to draw)
"""

from questions import commits, costs, http, opening, parts, peers, pipelines, requests, scale, stores, sweeps

QUESTIONS = (requests, parts, costs, scale, sweeps, stores, commits, opening, pipelines, http, peers)
ALL = {module.__name__.partition(".")[2]: module for module in QUESTIONS}
