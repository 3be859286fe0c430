"""Scores of computed claims, each kept as soon as it is known: a claim that was killed goes on where it was.

    <workspace>/claims/scores/<key>.json    the score, the seconds it took, and of what it is

The key names the claim, arm, seed and size, the code of the file that computes the score, and Fourfold's version. The
file's docstring and what it says under `CLAIM` are not of that code: a rule or a reason may be put into other words.
What else of Fourfold the file calls is not in the key, as it is not in a cell's: who changes that deletes the folder.
Scores of a claim whose code is in no file, such as one typed into a prompt, are not kept.

Checked by: a claim killed in the middle of a score; a file that changed; a damaged score.
"""

import ast
import hashlib
import inspect
import json
import time
from pathlib import Path

import fourfold
from fourfold.claims.base import ComputedClaim, Name
from fourfold.core.errors import InputError
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import cannot_write
from fourfold.records.strict_json import encode, number, read_mapping


class KeptScores:
    """The scores of a computed claim at one size.

    Args:
        claim: whose scores.
        size: at which size.
        workspace: where they are kept.
    """

    def __init__(self, claim: ComputedClaim, size: Name, workspace: Path) -> None:
        self.claim = claim
        self.size: Name = size
        self.folder = workspace / "claims" / "scores"
        self._code = _code_of(claim)

    def has(self, arm: str, seed: int) -> bool:
        """Return whether a score is kept."""
        path = self._path(arm, seed)
        return path is not None and _read(path) is not None

    def get(self, arm: str, seed: int) -> tuple[float, float]:
        """Return a score and the seconds it took, computed now if it is not kept yet.

        Raises:
            RecordError: it cannot be written.
        """
        path = self._path(arm, seed)
        kept = _read(path) if path is not None else None
        if kept is not None:
            return kept
        began = time.monotonic()
        score = float(self.claim.score(arm, seed, self.size))
        seconds = time.monotonic() - began
        if path is not None:
            self._keep(path, {"arm": arm, "seed": seed, "score": score, "seconds": seconds})
        return score, seconds

    def _path(self, arm: str, seed: int) -> Path | None:
        if self._code is None:
            return None
        overrides = dict(self.claim.size(self.size).overrides)
        known = [self.claim.id, arm, seed, self.size, overrides, self._code, fourfold.__version__]
        return self.folder / f"{hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]}.json"

    def _keep(self, path: Path, known: dict[str, object]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, encode({"id": self.claim.id, "size": self.size, **known}))
        except OSError as error:
            raise cannot_write(error, path) from None


def _read(path: Path) -> tuple[float, float] | None:
    """Return a kept score and its seconds; None if it is missing or damaged."""
    if not path.exists():
        return None
    try:
        kept = read_mapping(path)
        return number(kept["score"]), number(kept["seconds"])
    except (InputError, KeyError, ValueError):
        return None


def _code_of(claim: ComputedClaim) -> str | None:
    """Return the code of the file that computes the scores; None if there is no such file."""
    try:
        text = Path(inspect.unwrap(claim.score).__code__.co_filename).read_text(encoding="utf-8")
    except (OSError, AttributeError):
        return None
    return "\n".join(ast.dump(node) for node in ast.parse(text).body if not _is_words(node))


def _is_words(node: ast.stmt) -> bool:
    """Whether a statement is text by itself, or what is said under `CLAIM`."""
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["CLAIM"]
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
