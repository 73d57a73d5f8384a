"""Make the name lists that twins choose from, out of the frequency lists of the 1990 census of the United States.

    python -m tools.name_lists FOLDER

FOLDER holds `dist.all.last`, `dist.female.first` and `dist.male.first`, which the Census Bureau published (works of the
government of the United States, so in the public domain; the source distribution of `names` on PyPI has copies). A line is a
name in capitals, its share in percent, the cumulated share, and its rank.

A published list never changes: another order or another name would rename everybody. New lists get a new number.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

NUMBER = 1
GIVEN, FAMILY = 2_000, 5_000
FOLDER = Path(__file__).parents[1] / "oneroster-core/src/oneroster_core/twin/names"


def _shares(path: Path) -> Counter[str]:
    shares: Counter[str] = Counter()
    for line in path.read_text(encoding="ascii").splitlines():
        name, share, *_ = line.split()
        shares[name.title()] += round(float(share) * 1000)
    return shares


def _most(shares: Counter[str], count: int) -> list[str]:
    """Return the most frequent names in the order of the alphabet, so that a place in the list says nothing of frequency."""
    ranked = sorted(shares, key=lambda name: (-shares[name], name))
    return sorted(ranked[:count])


def main() -> None:
    """Write both lists; refuse to change one that exists."""
    folder = Path(sys.argv[1])
    lists = {
        "given": _most(_shares(folder / "dist.female.first") + _shares(folder / "dist.male.first"), GIVEN),
        "family": _most(_shares(folder / "dist.all.last"), FAMILY),
    }
    for kind, names in lists.items():
        path = FOLDER / f"{kind}_{NUMBER}.txt"
        text = "\n".join(names) + "\n"
        if path.exists() and path.read_text(encoding="ascii") != text:
            raise SystemExit(f"{path.name} would change, and everybody would get another name: raise NUMBER")
        path.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
