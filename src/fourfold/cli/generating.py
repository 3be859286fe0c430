"""`fourfold generate`."""

import sys
import time
from typing import Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.core.words import counted

STDIN = "-"


def generate(
    run: RunArgument,
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt", metavar="TEXT", help="What to go on from; - reads it from stdin. Default: a new text."
        ),
    ] = "",
    tokens: Annotated[int, typer.Option("--tokens", metavar="N", help="Write at most this many tokens.")] = 200,
    temperature: Annotated[
        float, typer.Option("--temperature", metavar="T", help="Below 1 surer, above 1 bolder, 0 always the likeliest.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option("--top-k", metavar="K", help="Draw among the K likeliest tokens only.")
    ] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", metavar="P", help="Draw among the fewest tokens that hold this share.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed writes the same text.")] = 0,
    precision: Annotated[
        str, typer.Option("--precision", metavar="P", help="Of a GPT's weights: fp32, or faster, bf16 or int8.")
    ] = "fp32",
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Have a trained language model write on, shown as it is written. It needs the run's folder, not its data.

    \b
    Examples:
      fourfold generate shakespeare-gpt-1 --prompt "ROMEO:"
      fourfold generate shakespeare-gpt-1 --temperature 0.8 --top-k 20 --tokens 500
      echo "To be, or" | fourfold generate shakespeare-lstm-1 --prompt - --json
    """
    opened = open_run(run, workspace, use)
    if prompt == STDIN:
        # as training text is read: a file of Windows has a mark at its beginning, and two letters for a line break
        prompt = sys.stdin.buffer.read().decode("utf-8-sig", "replace").replace("\r\n", "\n").rstrip("\n")
    from fourfold.run.generate import Sampling, unknown, unseen
    from fourfold.run.generate import generate as write

    writing = write(opened, prompt, tokens, Sampling(temperature, top_k, top_p), seed, precision)  # type: ignore[arg-type]
    pieces: list[str] = []
    count, began = 0, 0.0
    if not json:
        _show(prompt)
    for piece in writing:
        began = began or time.perf_counter()  # the first token also waits for the weights
        count += 1
        pieces.append(piece.text)
        if not json:
            _show(piece.text)
    seconds = time.perf_counter() - began if began else 0.0
    rate = (count - 1) / seconds if seconds and count > 1 else None
    unread = unseen(opened, prompt)
    strange = unknown(opened, prompt)
    if json:
        facts = {"tokens": count, "unread": unread, "unknown": strange, "tokens_per_second": rate, "seed": seed}
        print_json({"run_id": opened.run_id, "prompt": prompt, "text": "".join(pieces), **facts})
        return
    _show("\n")
    if unread:
        note(f"the prompt is too long for this model: its first {counted(unread, 'token')} went unread")
    if strange:
        note(
            f"the model does not know {counted(strange, 'token')} of the prompt: the text it learnt from had none such"
        )
    if rate is not None:
        note(f"{count} tokens, {rate:,.0f} a second" + ("; the text ended" if count < tokens else ""))


def _show(text: str) -> None:
    """Print a piece of text at once; on a terminal, nothing that would steer it."""
    if sys.stdout.isatty():
        text = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
    sys.stdout.write(text)
    sys.stdout.flush()
