"""make picture: draw docs/picture.png and docs/day.png and renew the table in README.md, from runs of bundled men."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from leydig.cli import simulate as verb
from leydig.report import day, figures
from leydig.studies.minutes import simulate_minutes
from leydig.studies.simulate import simulate
from leydig.writing import write_text

ROOT = Path(__file__).resolve().parents[1]
MAN, PROTOCOL, DRAWS = "older-man", "anastrozole 1 mg daily for 52 weeks", 200
OBESE, TWICE_WEEKLY, WEEK_12 = "obese-man", "anastrozole 0.5 mg twice weekly", 84.0
TABLE = re.compile(r"(<!-- table -->\n```text\n).*?(```\n)", re.DOTALL)


def main() -> None:
    os.environ.pop("FORCE_COLOR", None)
    os.environ["COLUMNS"] = "80"
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    shown = "".join(f"{line.rstrip()}\n" for line in verb.text(simulate(MAN, [PROTOCOL])).splitlines())
    renewed, count = TABLE.subn(lambda found: found[1] + shown + found[2], text)
    if count != 1:
        sys.exit("error: README.md has no place for the table")
    write_text(readme, renewed)
    figures.picture(simulate(MAN, [PROTOCOL], draws=DRAWS), ROOT / "docs" / "picture.png")
    day.write(simulate_minutes(OBESE, [TWICE_WEEKLY], at_day=WEEK_12), ROOT / "docs" / "day.png")
    print("wrote docs/picture.png, docs/day.png and the table in README.md")


if __name__ == "__main__":
    main()
