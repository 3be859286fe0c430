"""`fourfold look`."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.records.naming import slug, to_text
from fourfold.report.numbers import count

MADE = (
    "The trained network was run on the examples as they are, without augmentation, and nothing in it was changed. "
    "Grad-CAM: Selvaraju et al. 2017. Receptive fields: from the geometry of each operation; in effect: Luo et al. "
    "2016. Embedding: principal components of what the last layer is given."
)


def look(
    run: RunArgument,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="PICTURE", help="Look at this picture; the data are not needed.")
    ] = None,
    asked: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Show what speaks for this class. Default: the next likeliest."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", "-o", metavar="DIR", help="Default: the figures folder of the run.")
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Also write each figure as a PNG.")] = False,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """See what a trained network sees, on one page.

    Of pictures: the first layer's filters, feature maps, receptive fields, and where it finds a class (Grad-CAM). Of
    anything with classes: where examples lie before the last layer, the classes taken for each other, and the worst
    mistakes.

    \b
    Examples:
      fourfold look mnist-lenet5-1
      fourfold look mnist-lenet5-1 --image seven.png
      fourfold look pictures-lenet5-1 --image photo.jpg --class cat -o /tmp/cat --png
    """
    opened = open_run(run, workspace, use)
    from fourfold import __version__
    from fourfold.report.document import write_document
    from fourfold.report.view_page import view_page
    from fourfold.report.views.look import look_at_data, look_at_picture

    asked = None if asked is None else to_text(asked)
    notes: list[str] = []
    if image is None:
        (drawn, told), name = look_at_data(opened, asked), "look"
        facts = [("examples", f"all {count(told['examples'])} of the {told['split']} split")]
    else:
        (drawn, told), notes = look_at_picture(opened, to_text(str(image)), asked)
        name = f"look-{slug(to_text(image.stem))}"
        facts = [("picture", to_text(str(image))), *(("note", each) for each in notes)]
    words = [
        "fourfold",
        "look",
        run,
        *(["--image", str(image)] if image else []),
        *(["--class", asked] if asked else []),
    ]
    page = view_page(
        "what the network sees",
        opened.run_id,
        "What it sees",
        drawn,
        tiles=[],
        made=MADE,
        facts=facts,
        command=shlex.join(map(to_text, words)),
        version=__version__,
    )
    place = to or opened.folder.figures
    files = [write_document(page, place / f"{name}.html")]
    if png:
        named = drawn if image is None else [replace(each, name=f"{each.name}-{name[5:]}") for each in drawn]
        files += [each.write_png(place) for each in named]
    if json:
        print_json({"run_id": opened.run_id, **told, "notes": notes, "files": [str(each.resolve()) for each in files]})
    for each in notes:
        note(f"  · {each}")
    for each in files:
        note(f"look: {each}")
