"""Every benchmark of this folder, one after another, into docs/benchmarks.md and the README's table.

python benchmarks/all.py [--quick]
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "docs" / "benchmarks.md"


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    commands = [
        ["startup.py", "--markdown", RESULTS, *(["--rounds", "3"] if quick else [])],
        ["seconds.py", "--markdown", RESULTS, *(["--rounds", "1"] if quick else [])],
        ["data_path.py", "--markdown", RESULTS, *(["--rounds", "3"] if quick else [])],
        ["augmentations.py", "--markdown", RESULTS, *(["--rounds", "3"] if quick else [])],
        ["vision.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["language.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["beyond.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["returns.py", "--markdown", RESULTS, *(["--seeds", "1"] if quick else [])],
        ["adversarial.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["contrastive.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["optimizers.py", "--markdown", RESULTS, *(["--launches", "1"] if quick else [])],
        ["studies.py", "--markdown", RESULTS, *(["--rounds", "1"] if quick else [])],
        ["stacking.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["engine.py", "--markdown", RESULTS, *(["--quick"] if quick else [])],
        ["readme.py"],
    ]
    failed = [
        script for script, *rest in commands if subprocess.run([sys.executable, FOLDER / script, *rest]).returncode
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
