"""`fourfold translate`: texts in another language."""

from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.core.errors import InputError
from fourfold.records.location import check_folder_of


def translate(
    run: RunArgument,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT... | FILE | -]", help="Texts in quotes; a file, or stdin, has a text a line."),
    ] = None,
    beams: Annotated[
        int, typer.Option("--beams", metavar="N", help="Beginnings kept of each translation; more take longer.")
    ] = 1,
    attention: Annotated[
        Path | None, typer.Option("--attention", metavar="FILE.png", help="Draw where it looked; for one text.")
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Translate texts with a trained run.

    \b
    Examples:
      fourfold translate help-ko-transformer-1 "Open the document."
      fourfold translate help-ko-transformer-1 sentences.txt --beams 4 --json
      fourfold translate help-ko-transformer-1 "Open the document." --attention map.png
      echo "Open the document." | fourfold translate help-ko-transformer-1 -
    """
    if attention is not None:
        check_folder_of(attention)
    opened = open_run(run, workspace, use)
    from fourfold.cli.texts import read_lines
    from fourfold.run.translate import translate as translate_texts

    sources = read_lines(texts or [], "translate")
    given = [text for text in sources if text]
    if attention is not None and len(given) != 1:
        raise InputError(f"--attention draws one text, but {len(given)} were given")
    translations, notes = translate_texts(opened, sources, beams)
    if attention is not None:
        from fourfold.report.attention import draw_looks
        from fourfold.report.drawing import write_png
        from fourfold.run.views.attention import looks
        from fourfold.tasks.figure import font_note

        notes = [*notes, f"figure: {write_png(draw_looks(looks(opened, given[0], beams)), attention)}"]
        if (missing := font_note(given[0] + "".join(translations))) is not None:
            notes.append(missing)
    for line in notes:
        note(f"  · {line}")
    if json:
        pairs = [{"source": a, "translation": b} for a, b in zip(sources, translations, strict=True)]
        print_json({"run_id": opened.run_id, "translations": pairs, "notes": notes})
        return
    for translation in translations:
        print(translation)
