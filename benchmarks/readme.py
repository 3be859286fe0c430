"""The engines' table in the README, cut out of docs/benchmarks.md so that the two cannot differ.

python benchmarks/readme.py
"""

import re
from pathlib import Path

from tables import table, write_section

ROOT = Path(__file__).parent.parent
TABLES = {
    "engine mlp 1": "MLP, 1 core",
    "engine mlp 2": "MLP, 2 cores",
    "engine lenet5 1": "LeNet-5, 1 core",
    "engine lenet5 2": "LeNet-5, 2 cores",
}
LEFT_OUT = ("fused", "TensorFlow")  # told where all is told; TensorFlow's own threads make its times leap


def main() -> None:
    results = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    write_section(ROOT / "README.md", "engines", engines(results))


def engines(results: str) -> str:
    """Return what each engine adds to a step of the MLP, and its throughput on each network."""
    columns, rows = ["engine", "µs a step over raw"], dict[str, list[str]]()
    for section, title in TABLES.items():
        if f"<!-- {section}: begin -->" not in results:
            continue  # not measured yet
        first = not rows
        columns.append(title)
        text = results.split(f"<!-- {section}: begin -->")[1].split(f"<!-- {section}: end -->")[0]
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("| ").split("|")]
            if len(cells) > 3 and re.match(r"\d", cells[1]) and not any(word in cells[0] for word in LEFT_OUT):
                overhead = [_middle(cells[2]) or "0"] if first else []
                rows.setdefault(cells[0], []).extend([*overhead, _middle(cells[3])])
    return table(columns, [[name, *cells] for name, cells in rows.items() if len(cells) == len(columns) - 1])


def _middle(cell: str) -> str:
    """Return the median of `median (quartile to quartile)`."""
    return cell.split(" (")[0]


if __name__ == "__main__":
    main()
