"""What a run ran on."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from fourfold.records.environment import describe_environment, git_commit, package_versions


def test_versions_are_the_installed_ones():
    versions = package_versions()
    assert versions["numpy"] == version("numpy")
    assert "torch" in versions


def test_describing_imports_none_of_what_it_describes():
    script = (
        "import sys; from fourfold.records.environment import describe_environment; describe_environment({})\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'sqlalchemy', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_device_is_the_callers_word():
    described = describe_environment({"device": "cuda", "threads": 2})
    assert (described["device"], described["threads"]) == ("cuda", 2)
    assert described["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


def test_the_commit_says_if_files_differ(tmp_path: Path):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    assert git_commit(tmp_path) is None
    git("init", "-q")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git("add", "file")
    git("commit", "-qm", "first")
    git("tag", "-a", "v1", "-m", "a tag must not hide the commit")
    commit = git("rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert git_commit(tmp_path) == commit + "-dirty"
