"""`fourfold doctor`: what this machine has, and what is missing."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from fourfold.cli.options import JsonOption, WorkspaceOption
from fourfold.cli.output import console, print_json
from fourfold.core.extras import to_install
from fourfold.records.location import workspace_path

EXTRAS = {  # the extra, what it is for, and the modules it brings
    "onnx": ("fourfold export --format onnx", ("onnx", "onnxscript", "onnxruntime")),
    "tune": ("fourfold compare --tune", ("optuna",)),
    "ray": ("fourfold compare --on ray", ("ray",)),
    "control": ("pictures of CartPole and Acrobot as they are played", ("pygame",)),
    "box2d": ("LunarLander", ("Box2D",)),
    "minatar": ("MinAtar's games; GPL-3.0", ("minatar",)),
    "atari": ("Atari's games; GPL-2.0", ("ale_py",)),
    "pg": ("records in PostgreSQL", ("psycopg",)),
    "tensorboard": ("fourfold run --track tensorboard", ("tensorboard",)),
    "mlflow": ("fourfold run --track mlflow", ("mlflow",)),
    "wandb": ("fourfold run --track wandb", ("wandb",)),
    "text": ("texts of Hugging Face's host", ("datasets",)),
    "hangul": ("figures in Hangul on a machine without its fonts", ("koreanize_matplotlib",)),
}
LITTLE_DISK = 1 << 30  # a run with a few checkpoints of a small model, and MNIST


@dataclass(frozen=True)
class Check:
    """One thing looked at: `ok`, `missing` (optional, can be added) or `problem` (something will not work)."""

    name: str
    state: Literal["ok", "missing", "problem"]
    found: str
    remedy: str = ""


def doctor(workspace: WorkspaceOption = None, json: JsonOption = False) -> int:
    """Say what this machine has and what is missing, with the command that adds it. Changes nothing.

    Exit code 1 if something will not work, 0 otherwise; optional things that are missing are no problem.

    \b
    Examples:
      fourfold doctor
      fourfold doctor --workspace /mnt/runs --json
    """
    place = workspace_path(workspace)
    checks = [*_python(), *_torch(), *_extras(), *_places(place), _database(place), _data(), _fonts()]
    problems = [check.name for check in checks if check.state == "problem"]
    if json:
        found = {each.name: {"state": each.state, "found": each.found, "remedy": each.remedy} for each in checks}
        print_json({"status": "problem" if problems else "ok", "problems": problems, "checks": found})
    else:
        _print(checks)
    return 1 if problems else 0


def _print(checks: list[Check]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    table = Table("", "what", "found", box=None, pad_edge=False, show_header=False)
    marks = {"ok": "[green]ok[/]", "missing": "[dim]--[/]", "problem": "[red]!![/]"}
    for check in checks:
        words = escape(check.found) + (f"\n[dim]{escape(check.remedy)}[/]" if check.remedy else "")
        table.add_row(marks[check.state], check.name, words)
    out.print(table)
    problems = [check.name for check in checks if check.state == "problem"]
    out.print(
        f"[red]will not work:[/] {', '.join(problems)}" if problems else "[green]everything required is installed[/]"
    )


def _python() -> list[Check]:
    from fourfold import __version__

    state = "ok" if sys.version_info >= (3, 11) else "problem"
    return [
        Check("fourfold", "ok", __version__),
        Check("python", state, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]


def _torch() -> list[Check]:
    try:
        import torch

        from fourfold.run.runtime import available_devices, cores, has_native_bf16
    except (ImportError, OSError) as error:
        return [Check("torch", "problem", str(error).splitlines()[0], "pip install torch torchvision")]
    devices = available_devices()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if "cuda" in devices else []
    gpu = ", ".join(gpus) or ("Apple GPU" if "mps" in devices else "none; everything runs on the CPU")
    bf16 = [device for device in devices if has_native_bf16(device)]
    words = f"in hardware on {', '.join(bf16)}" if bf16 else "not in hardware; runtime.precision=auto stays with fp32"
    return [
        Check("torch", "ok", torch.__version__),
        Check("cores", "ok", f"{cores()} usable of {os.cpu_count()}"),
        Check("gpu", "ok", gpu),
        Check("bf16", "ok", words),
    ]


def _extras() -> list[Check]:
    checks = []
    for extra, (purpose, modules) in EXTRAS.items():
        absent = [module for module in modules if find_spec(module) is None]
        command = to_install(extra) if absent else ""
        found = f"not installed: {', '.join(absent)}; for {purpose}" if absent else f"installed; for {purpose}"
        checks.append(Check(extra, "missing" if absent else "ok", found, command))
    return checks


def _places(workspace: Path) -> list[Check]:
    nearest = next(path for path in [workspace.absolute(), *workspace.absolute().parents] if path.exists())
    writable = nearest.is_dir() and os.access(nearest, os.W_OK)
    words = f"{workspace}" + ("" if workspace.exists() else ", made by the first run")
    remedy = "" if writable else f"{nearest} cannot be written; choose another with --workspace or FOURFOLD_WORKSPACE"
    free = shutil.disk_usage(nearest).free
    little = free < LITTLE_DISK
    return [
        Check("workspace", "ok" if writable else "problem", words, remedy),
        Check("disk", "problem" if little else "ok", f"{free / 2**30:.1f} GiB free", "make room" if little else ""),
    ]


def _database(workspace: Path) -> Check:
    """Say where records are indexed, and whether that can be reached."""
    url = os.environ.get("FOURFOLD_DB")
    if not url:
        return Check("database", "ok", f"SQLite in {workspace}")
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    try:
        parsed = sqlalchemy.make_url(url)
        shown = parsed.render_as_string(hide_password=True)
        engine = sqlalchemy.create_engine(parsed, connect_args={"connect_timeout": 5} if "postgres" in url else {})
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("select 1"))
        return Check("database", "ok", f"{shown} answers")
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        return Check("database", "problem", f"FOURFOLD_DB cannot be used: {reason}", "unset FOURFOLD_DB for SQLite")


def _data() -> Check:
    from fourfold.data import DATA
    from fourfold.run.build import data_cache

    cache = data_cache()
    fetched: dict[bool, list[str]] = {True: [], False: []}
    lacking: dict[str, list[str]] = {}  # client -> what it fetches
    for name in DATA:
        config: Any = DATA.config_class(name)
        if not config.fetched_files:
            continue
        here, client = config.is_here(cache), config.client
        fetched[here].append(name)
        if not here and client and not (shutil.which(client) or shutil.which(f"{client}3")):
            lacking.setdefault(client, []).append(name)
    words = [f"{', '.join(names)} {state}" for names, state in ((fetched[True], "here"),
             (fetched[False], "fetched by the first run that needs it")) if names]  # fmt: skip
    remedy = "; ".join(f"{client} is not here, which fetches {', '.join(names)}" for client, names in lacking.items())
    return Check("data", "ok", f"{cache}: {'; '.join(words)}", remedy)


def _fonts() -> Check:
    """Look for a font that has Hangul, by the names of font files: matplotlib's own search would write a cache."""
    folders = ["/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"]
    folders += ["/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts"]
    known = (
        "nanum",
        "notosanscjk",
        "notoserifcjk",
        "notosanskr",
        "applesdgothic",
        "malgun",
        "unbatang",
        "baekmuk",
        "droidsansfallback",
    )
    for folder in folders:
        for path in Path(folder).expanduser().rglob("*.[to]t[fc]"):
            if path.name.lower().replace("-", "").startswith(known):
                return Check("Hangul font", "ok", path.name)
    return Check(
        "Hangul font",
        "missing",
        "none found: Hangul in figures is drawn as boxes",
        "on Debian: apt install fonts-nanum",
    )
