"""How an extra is installed: packages that only some of Fourfold needs.

Checked by: each message that names an extra, and no other wording of it anywhere.
"""


def to_install(extra: str) -> str:
    """Return the command that adds an extra of pyproject.toml; Fourfold is on no registry, so it is a clone's."""
    return f'pip install -e ".[{extra}]" in your clone of Fourfold'
