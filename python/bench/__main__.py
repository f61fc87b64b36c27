"""Measures lastseen beside the recipe, on SQLite and on PostgreSQL, in one run, and writes RESULTS.md.

python -m bench            # a million users
python -m bench 10000      # fewer, to try it
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import django

from tests.postgres import Postgres

ROOT = Path(__file__).parent.parent
REQUESTS = 500

ROWS = [
    ("middleware, the view needs the user too", "loaded ours", "loaded recipe"),
    ("middleware, the view needs no user", "lazy ours", "lazy recipe"),
    ("`get_online_users(50)`, the users fetched", "list ours", "list recipe"),
    ("how many are online", "count ours", "count recipe"),
    ("`get_online_users(50)`, the recipe with an index on the date", "list ours", "list recipe index"),
    ("middleware, the recipe with that index", "loaded ours", "loaded recipe index"),
]


def measure(users: int, **environment: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.works", str(users), str(REQUESTS)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def shown(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def table(results: dict[str, float]) -> list[str]:
    lines = ["| | lastseen | the recipe | ratio |", "|---|--:|--:|--:|"]
    for name, ours, recipe in ROWS:
        ratio = results[recipe] / results[ours]
        number = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
        verdict = number if ratio >= 1 else f"**{number}, lost**"
        lines.append(f"| {name} | {shown(results[ours])} | {shown(results[recipe])} | {verdict} |")
    return lines


def report(users: int, sqlite: dict[str, float], postgres: dict[str, float]) -> str:
    lines = [
        "# The Django app beside the recipe",
        "",
        f"Taken by `python -m bench` on {datetime.now(timezone.utc):%Y-%m-%d}: {users:,} users, all of them online; Python "
        f"{platform.python_version()}, Django {django.get_version()}, {os.cpu_count()} processors shared with others. The "
        "recipe is one that writes a row with every request and asks the table who is online, written anew for current Django "
        "(`bench/recipe`). The middleware's cost is what a request takes with it less what it takes without, flushes behind "
        "the requests included; PostgreSQL's commits are on disk, SQLite's in its log (`synchronous = NORMAL`). Of several runs the fastest counts. Ratios above 1 are in favour of lastseen.",
        "",
        "## SQLite",
        "",
        *table(sqlite),
        "",
        "## PostgreSQL",
        "",
        *table(postgres),
        "",
        f"Behind the requests a process that starts reads all that is recent, here in {shown(sqlite['start'])} from SQLite and "
        f"{shown(postgres['start'])} from PostgreSQL, and a user who is written takes {shown(sqlite['flush'])} or "
        f"{shown(postgres['flush'])}. With an index on its date the recipe's list costs about what fetching 50 users costs.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="lastseen-bench-") as place:
        sqlite = measure(users, BENCH_PLACE=place)
    server = Postgres(durable=True)
    try:
        server.database("site")
        postgres = measure(users, BENCH_POSTGRES=str(server.port))
    finally:
        server.close()
    text = report(users, sqlite, postgres)
    print(text)
    if users == 1_000_000:
        (ROOT / "bench/RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
