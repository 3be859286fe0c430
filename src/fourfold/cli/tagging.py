"""`fourfold tag`: the words of texts with their tags."""

from typing import TYPE_CHECKING, Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import console, note, print_json

if TYPE_CHECKING:
    from rich.text import Text

    from fourfold.run.tag import TaggedText

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


def tag(
    run: RunArgument,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT... | FILE | -]", help="Texts in quotes; a file, or stdin, has a text a line."),
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Tag the words of texts with a trained run: names of people and places, say, or parts of speech.

    \b
    Examples:
      fourfold tag ner-lstm-1 "Going to Paris with Kim."
      fourfold tag ner-lstm-1 letters.txt --json
      echo "Going to Paris." | fourfold tag ner-lstm-1 -
    """
    opened = open_run(run, workspace, use)
    from fourfold.cli.texts import read_lines
    from fourfold.run.tag import tag as tag_texts

    tagged, notes = tag_texts(opened, read_lines(texts or [], "tag"))
    for line in notes:
        note(f"  · {line}")
    if json:
        print_json({"run_id": opened.run_id, "texts": [each.to_mapping() for each in tagged], "notes": notes})
        return
    kinds = sorted({kind for each in tagged for kind, _, _ in _marked(each)})
    for each in tagged:
        console().print(_in_colour(each, kinds), soft_wrap=True)
    without = sum(bool(each.words) and not _marked(each) for each in tagged)
    if without:  # else a text that comes back as it went in looks like a mistake
        from fourfold.tasks.tagging import OUTSIDE

        where = "this text" if len(tagged) == 1 else f"{without:,} of {len(tagged):,} texts"
        note(f"nothing found in {where}: every word is tagged {OUTSIDE}")


def _marked(text: "TaggedText") -> list[tuple[str, int, int]]:
    """Return what is shown: entities, or where there are none every word's tag but O."""
    from fourfold.tasks.tagging import OUTSIDE, entities

    if any(tag[:2] in ("B-", "I-") for tag in text.tags):
        return entities(text.tags)
    return [(tag, place, place) for place, tag in enumerate(text.tags) if tag != OUTSIDE]


def _in_colour(text: "TaggedText", kinds: list[str]) -> "Text":
    """Return the words, each entity in brackets with its type, as `[Seoul LOC]`, and in a colour of that type."""
    from rich.text import Text

    begins = {first: (kind, last) for kind, first, last in _marked(text)}
    line, place = Text(), 0
    while place < len(text.words):
        kind, last = begins.get(place, ("", place))
        words = " ".join(text.words[place : last + 1])
        line.append(" " if place else "")
        if kind:
            line.append(f"[{words} ", style=f"bold {COLOURS[kinds.index(kind) % len(COLOURS)]}")
            line.append(f"{kind}]", style=COLOURS[kinds.index(kind) % len(COLOURS)])
        else:
            line.append(words)
        place = last + 1
    return line
