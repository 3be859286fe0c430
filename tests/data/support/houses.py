"""Made-up houses in a Korean table, with a little of everything that tables have."""

import csv
import random
from pathlib import Path

from fourfold.data import DATA

NOWHERE = Path("nowhere")
CITIES = ("서울", "부산", "제주 시")


def houses(count: int = 200, seed: int = 0) -> list[dict[str, str]]:
    draw = random.Random(seed)
    return [
        {
            "번호": str(i + 1),
            "도시": draw.choice(CITIES),
            "area": f"{draw.uniform(20, 150):.2f}" if draw.random() > 0.05 else "",
            "rooms": str(draw.randint(1, 6)),
            "built": f"{draw.randint(1980, 2023)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            "new": draw.choice(["yes", "no"]),
            "price": f"{draw.uniform(1e5, 9e5):.2f}",
            "등급": draw.choice(["상", "중", "하"]),
        }
        for i in range(count)
    ]


def save(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def build(path: Path, target: str = "price", seed: int = 0, **fields):
    return DATA.parse({"name": "table", "path": str(path), "target": target, **fields}, "data").build(seed, NOWHERE)
