"""The commands put together, and errors turned into one line and an exit code.

Nothing here imports torch: `fourfold --help` and `fourfold list` answer at once.
"""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fourfold.cli import (
    claiming,
    comparing,
    decomposing,
    doctor,
    generating,
    gradients,
    history,
    importing,
    landscaping,
    listing,
    looking,
    playing,
    predicting,
    probing,
    racing,
    sampling,
    showing,
    tagging,
    trained,
    training,
    translating,
)
from fourfold.cli.output import is_first_process, note, print_json, speak_utf8
from fourfold.core.errors import (
    BAD_INPUT,
    DONE,
    FAILED,
    INTERRUPTED,
    LOST,
    DivergedError,
    FourfoldError,
    InputError,
    ListedError,
    did_you_mean,
)

# ClickException, the base of what click tells a user. Typer uses the package click before 0.26 and a copy of its own
# since then; the BadParameter that it gives out leads to the right one of the two.
CommandError: Any = typer.BadParameter.__mro__[2]


class Commands(TyperGroup):
    """The commands; a mistyped one is met with the nearest."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that `args` names."""
        if args and self.get_command(ctx, args[0]) is None:
            raise InputError(f"no command called '{args[0]}'{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from, with any command.")] = False,
) -> None:
    """A deep-learning lab. Every result has four parts: data, model, loss, algorithm.

    Swap any one, hold the other three still, and see what it was worth.

    \b
    Start here:
      fourfold run digits-mlp                        train, in seconds
      fourfold show digits-mlp                       the four parts it has
      fourfold run digits-mlp model=lenet5           change one thing
      fourfold list                                  all there is to choose
    """


app.command("run", no_args_is_help=True)(training.run)
app.command("resume", no_args_is_help=True)(training.resume)
app.command("evaluate", no_args_is_help=True)(trained.evaluate)
app.command("predict", no_args_is_help=True)(predicting.predict)
app.command("generate", no_args_is_help=True)(generating.generate)
app.command("sample", no_args_is_help=True)(sampling.sample)
app.command("play", no_args_is_help=True)(playing.play)
app.command("tag", no_args_is_help=True)(tagging.tag)
app.command("translate", no_args_is_help=True)(translating.translate)
app.command("export", no_args_is_help=True)(trained.export)
app.command("report", no_args_is_help=True)(trained.report)
app.command("compare", no_args_is_help=True)(comparing.compare)
app.command("history", no_args_is_help=True)(history.history)
app.command("decompose", no_args_is_help=True)(decomposing.decompose)
app.command("claim", no_args_is_help=True)(claiming.claim)
app.command("race")(racing.race)
app.command("landscape", no_args_is_help=True)(landscaping.landscape)
app.command("look", no_args_is_help=True)(looking.look)
app.command("probe", no_args_is_help=True)(probing.probe)
app.command("gradients", no_args_is_help=True)(gradients.gradients)
app.command("list")(listing.list_names)
app.command("show", no_args_is_help=True)(showing.show)
app.command("import", no_args_is_help=True)(importing.import_run)
app.command("doctor")(doctor.doctor)


def execute(arguments: list[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong is one line on stderr."""
    speak_utf8()
    if "--debug" in arguments:
        os.environ["FOURFOLD_DEBUG"] = "1"
        arguments = [argument for argument in arguments if argument != "--debug"]
    as_json = "--json" in arguments
    if arguments[:1] == ["--version"]:
        from fourfold import __version__

        print(f"fourfold {__version__}")
        return DONE
    try:
        code = app(args=arguments, prog_name="fourfold", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except FourfoldError as error:
        status = "diverged" if isinstance(error, DivergedError) else "failed"
        return _fail(error.lines if isinstance(error, ListedError) else str(error), error.exit_code, status, as_json)
    except CommandError as error:
        return _fail(_usage(error), BAD_INPUT, "failed", as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED, "interrupted", as_json)
    except BrokenPipeError:  # `fourfold list | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - python flushes it at exit
        return FAILED
    except Exception as error:
        hint = "" if os.environ.get("FOURFOLD_DEBUG") else " (--debug shows where)"
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no further details"
        return _fail(f"{type(error).__name__}: {first}{hint}", FAILED, "failed", as_json)


def _usage(error: Any) -> str:
    """Return a usage error in one line."""
    message = " ".join(str(error.format_message()).split())
    if not message:  # a bare `fourfold evaluate` has just printed its help
        return ""
    context = getattr(error, "ctx", None)
    command = f"; fourfold {context.info_name} --help shows how" if context is not None and context.parent else ""
    return message[:1].lower() + message[1:].rstrip(".") + command


def _fail(message: str | list[str], code: int, status: str, as_json: bool) -> int:
    """Say what went wrong, in a line or in a list of them, and return the exit code."""
    if os.environ.get("FOURFOLD_DEBUG"):
        import traceback

        traceback.print_exc()
    # by `run.launch`, which keeps what others say, and tells one failure
    launched = "FOURFOLD_RENDEZVOUS" in os.environ
    if launched and code == LOST:
        return code
    if message and (is_first_process() or launched or code == FAILED):
        first, *more = [message] if isinstance(message, str) else message
        for line in (f"error: {first}", *more):
            note(line)
    if as_json and is_first_process():
        print_json({"status": status, "error": message if isinstance(message, str) else "\n".join(message)})
    return code
