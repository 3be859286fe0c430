"""The tables of speed in the README, cut out of docs/benchmarks.md so that the two cannot differ.

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

SYSTEMS = [  # what is done, beside what, the section that has it, and the row and column of the ratio
    ("ResNet-18 on 32x32, training", "torchvision in a raw loop", "vision resnet18", "**Fourfold**, defaults", 2),
    ("AlexNet on 224x224, training", "torchvision in a raw loop", "vision alexnet", "**Fourfold**, defaults", 2),
    ("ResNet-50 on 224x224, one prediction", "torchvision, fp32 both", "vision inference", "resnet50 | 1", 3),
    ("AlexNet on 224x224, one prediction", "torchvision, fp32 both", "vision inference", "alexnet_one_tower | 1", 3),
    ("GPT, training", "a raw loop", "language training", "**Fourfold**", 2),
    ("GPT, training with `compile=step`", "a raw loop", "language training", "**Fourfold**, compile=step", 2),
    ("LSTM, training", "torch.nn.LSTM in a raw loop", "language recurrent", "`lstm`", 3),
    ("GRU, training", "torch.nn.GRU in a raw loop", "language recurrent", "`gru`", 3),
    ("Transformer that translates, training", "torch.nn.Transformer", "language translation", "**Fourfold**", 2),
    ("GPT-2 writing, bf16", "Hugging Face `generate`, fp32", "language writing", "**Fourfold**, bf16", 2),
    ("GPT-2 writing, bf16", "Hugging Face `generate`, bf16", "language writing", "**Fourfold**, bf16", 4),
    (
        "GPT-2 writing, int8 weights",
        "Hugging Face `generate`, fp32",
        "language writing",
        "**Fourfold**, int8 weights",
        2,
    ),
    ("Translating, 4 beams", "Hugging Face's Marian", "language decoding", "4 beams: **Fourfold**", 2),
    ("DCGAN, training", "PyTorch's example", "beyond gan", "**Fourfold**, width 64", 2),
    ("Q-learning on CartPole", "Stable-Baselines3", "beyond acting", "**Fourfold**", 2),
    (
        "SimCLR, two views and a step of ResNet-8",
        "torchvision's transforms",
        "beyond simclr",
        "a step of resnet8, **Fourfold**",
        2,
    ),
]


def main() -> None:
    results = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    write_section(ROOT / "README.md", "engines", engines(results))
    write_section(ROOT / "README.md", "systems", systems(results))


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


def systems(results: str) -> str:
    """Return how many times as fast whole systems are as what others would take for them."""
    rows = []
    for what, beside, section, row, column in SYSTEMS:
        text = results.split(f"<!-- {section}: begin -->")[1].split(f"<!-- {section}: end -->")[0]
        line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
        rows.append([what, beside, _middle(line.strip("| ").split(" | ")[column])])
    return table(["what is done", "beside", "times as fast"], rows)


def _middle(cell: str) -> str:
    """Return the median of `median (quartile to quartile)`."""
    return cell.split(" (")[0]


if __name__ == "__main__":
    main()
