from questions.http import SECONDS, SERVERS, our_sites, picture, table  # noqa: F401
from report import sites
from report.load import compare
from report.needs import reason

TITLE = "And what do they cost elsewhere?"
ASKS = """\
The site of the question before, as each of these packages would have it done ([bench/peers](../bench/peers)), measured the
same way and in turns in one run, Sancho's among them. Sessions are in the process's memory where the package has such a
store, else in files. Only the ratio and what sessions add to a request compare packages: the servers around them differ in
kind. PHP's CPU includes that of the nginx in front of it, and without sessions its *write* counts nothing."""
REQUIRED = [sites.WRK]
NEEDS = [*REQUIRED, *(need for site in sites.peers() for need in site.needs)]
PACKAGES = ["wrk", "nodejs", "php-fpm", "nginx-light", "python3-django", "gunicorn", "golang-go", "golang-github-gorilla-sessions-dev", "python3-beaker"]


def measure(turns):
    known, not_measured = our_sites({f"Sancho, {name}": target for name, target in SERVERS.items()})
    for site in sites.peers():
        if why := reason(site.needs):
            not_measured[site.name] = why
        else:
            known.append(site)
    rows, more = compare(known, turns, SECONDS)
    return {"rows": rows, "not_measured": {**not_measured, **more}}
