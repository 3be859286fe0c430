"""What a run ran on: Python, packages, machine, code. Imports none of the packages it names."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Mapping

PACKAGES = (
    "fourfold", "torch", "torchvision", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "matplotlib",
    "pydantic", "pillow", "simplejpeg", "pyyaml", "safetensors", "sqlalchemy", "alembic", "onnx", "onnxruntime",
    "onnxscript",
)  # fmt: skip


def describe_environment(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts for `environment.json`.

    Args:
        device: what only torch knows, from the caller: device, its name, precision, threads.
    """
    return {
        "python": platform.python_version(),
        "packages": package_versions(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "command": list(sys.argv),
        "git": git_commit(Path.cwd()),
        **device,
    }


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that can change a result; those not installed are left out."""
    return {name: version for name in PACKAGES if (version := _version(name)) is not None}


@cache  # a study's processes are forked from one that knows them: all together they take as long as a short run's data
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def git_commit(folder: Path) -> str | None:
    """Return the commit that `folder` is at, with `-dirty` if files differ from it; None outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, timeout=2, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("utf-8", errors="replace").strip() or None
