"""A comparison from question to answer: plan the cells, run what is missing, and write what they say.

    <workspace>/studies/<name>-<digest>/study.json   the question, every cell's scores, statistics and verdicts
                                        costs.json   seconds and memory, which no two machines share
    <workspace>/cells/                               the runs

study.json is the same bytes whenever the same study is repeated on the same kind of machine, however often it was
killed on the way.

Checked by: a study killed at random times against an undisturbed one; arms that are the same.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.overrides import apply_overrides
from fourfold.core.recipe import Recipe
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import cannot_write
from fourfold.records.strict_json import encode
from fourfold.run import runtime
from fourfold.run.beginning import weights_read
from fourfold.run.build import data_cache
from fourfold.run.loop import Stop
from fourfold.run.parts import used_files, with_parts
from fourfold.study.analysis import Metric, analyse, chain_name
from fourfold.study.answer import FORMAT
from fourfold.study.cells import Cell, Stack
from fourfold.study.design import Arm, Space
from fourfold.study.execute import Chain, Executor, Watcher, execute
from fourfold.study.fairness import Plan, refuse_unfair, spaces_of
from fourfold.study.files import read_by_cells
from fourfold.study.local_pool import LocalPool
from fourfold.study.question import Question
from fourfold.study.stackable import can_stack, pays, room
from fourfold.study.tuning import Tuned, check_sampler, tuned, untuned
from fourfold.tasks.seam import Source, Spec

Place = Callable[[Plan, Path], Executor]


class Cells(NamedTuple):
    """All cells of a question, run.

    Attributes:
        plan: each arm's recipe on each problem.
        metrics: what each problem is scored by.
        unfair: what is unequal between the arms, in sentences.
        found: each arm's cell at each seed, by `chain_name`.
    """

    plan: Plan
    metrics: Mapping[str, Metric]
    unfair: list[str]
    found: Mapping[str, Tuned]


def compare(
    question: Question, workspace: Path, watcher: Watcher | None = None, place: Place | None = None
) -> dict[str, Any]:
    """Answer a question and return study.json's content.

    Args:
        question: what is compared.
        workspace: where cells and the study are recorded; finished cells in it are not run again.
        watcher: hears progress.
        place: where cells run: `on_this_machine`, the default, or `on_a_cluster`.

    Raises:
        InputError: the question cannot be asked, or an arm cannot be built.
        FourfoldError: a cell cannot be recorded.
        StoppedError: SIGINT or SIGTERM; what is finished is kept.
    """
    cells = run_cells(question, workspace, watcher, place)
    study, costs = analyse(question, cells.plan, cells.metrics, cells.unfair, cells.found)
    study = {"format": FORMAT, **study}
    folder = question.folder(workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "costs.json", encode(costs, indent=1))
        write_atomically(folder / "study.json", encode(study, indent=1))
    except OSError as error:
        raise cannot_write(error, folder) from None
    return study


def run_cells(question: Question, workspace: Path, watcher: Watcher | None = None, place: Place | None = None) -> Cells:
    """Run every cell of a question that has no result yet; arguments and errors are those of `compare`."""
    question.check()
    if question.spaces:
        check_sampler()
    plan = resolve(question)
    unfair = refuse_unfair(question, plan)
    data = _Data()
    metrics = {problem: scored_by(question, data.of(recipes[0]).spec) for problem, recipes in plan.items()}
    stacks = stacks_of(question, plan)
    chains: dict[str, Chain[Tuned]] = {}
    total = 0
    for problem, recipes in plan.items():
        for arm, recipe, stack in zip(question.arms, recipes, stacks[problem], strict=True):
            fields, reads, spaces = recipe.to_mapping(), data.of(recipe).reads, spaces_of(question, recipe)
            reads = {**reads, **weights_read(recipe)}
            total += len(question.seeds) * (1 + (question.trials if spaces else 0))
            for seed in question.seeds:
                cell = Cell(problem, {**fields, "seed": seed}, reads, stack=stack)
                chains[chain_name(problem, arm, seed)] = _chain(cell, spaces, question.trials, metrics[problem])
    executor = (place or on_this_machine)(plan, workspace)
    with Stop() as stop:
        found = execute(chains, executor, workspace, total, watcher or Watcher(), stop)
    return Cells(plan, metrics, unfair, found)


def resolve(question: Question) -> Plan:
    """Return each arm's recipe on each problem, every default filled in, and with its share of the cores.

    Raises:
        InputError: one line that names the arm where it is the arm's.
    """
    return {problem: [_resolve(arm, fields) for arm in question.arms] for problem, fields in question.problems.items()}


def _resolve(arm: Arm, fields: Mapping[str, Any]) -> Recipe:
    written = apply_overrides(fields, arm.overrides)
    recipe = with_parts(written)
    recipe = recipe.model_copy(update={"data": _split_anew(recipe.data, written["data"])})
    if recipe.runtime.processes > 1:
        raise InputError("runtime.processes: a study shares the cores between cells; leave it at 1")
    if getattr(recipe.data, "folds", None) is not None and getattr(recipe.data, "fold", None) is None:
        raise InputError("data.folds: each cell is one run; vary data.fold, or use --seeds, which draw other splits")
    machine = runtime.resolve_machine(recipe.runtime)
    threads = machine.threads or 1
    return recipe.model_copy(update={"runtime": machine.model_copy(update={"threads": threads})})


def _split_anew(data: PartConfig, written: Any) -> PartConfig:
    """Return data, and what is inside of it, whose split varies with the seed, unless it was said in so many words."""
    said = written if isinstance(written, Mapping) else {}
    inside = {name: getattr(data, name) for name in type(data).model_fields}
    changes: dict[str, Any] = {
        name: _split_anew(part, said.get(name)) for name, part in inside.items() if isinstance(part, PartConfig)
    }
    if "split_seed" in inside and "split_seed" not in said:
        changes["split_seed"] = None
    return data.model_copy(update=changes)


class _Known(NamedTuple):
    """What a study needs to know of data."""

    spec: Spec
    reads: Mapping[str, str]  # as a cell has it


class _Data:
    """What is known of the data of recipes; what several have in common is built once, and not kept."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def of(self, recipe: Recipe) -> _Known:
        key = recipe.data.model_dump_json()
        if key not in self._known:
            source: Source = recipe.data.build(recipe.seed, data_cache())  # type: ignore[attr-defined]
            self._known[key] = _Known(source.spec, read_by_cells(source.files))
        return self._known[key]


def scored_by(question: Question, spec: Spec) -> Metric:
    """Return the split, the metric, and whether more of it is better.

    Raises:
        InputError: the task has no such metric; the nearest is offered.
    """
    split, _, name = (question.metric or f"test.{spec.headline}").partition(".")
    known = {"loss": False, **spec.metrics, spec.headline: spec.higher_is_better}
    if name not in known:
        raise InputError(f"--metric: {spec.task} has no metric '{name}' to compare by{did_you_mean(name, known)}")
    return split, name, known[name]


def stacks_of(question: Question, plan: Plan) -> dict[str, list[Stack | None]]:
    """Return for each problem the stack of each arm's cells, None where they run alone.

    Arms that differ in their optimizer only share a stack.

    Raises:
        InputError: "always" was asked for, and an arm cannot be stacked; says why.
    """
    if question.stack == "never":
        return {problem: [None] * len(recipes) for problem, recipes in plan.items()}
    return {problem: _stacks(question, problem, recipes) for problem, recipes in plan.items()}


def _stacks(question: Question, problem: str, recipes: Sequence[Recipe]) -> list[Stack | None]:
    seeds, always = len(question.seeds), question.stack == "always"
    if can_stack(recipes) is None:
        together = always or pays([each for each in recipes for _ in range(seeds)])
        return [Stack(problem, room(recipes[0])) if together else None] * len(recipes)
    stacks: list[Stack | None] = []
    for arm, recipe in zip(question.arms, recipes, strict=True):
        reason = can_stack([recipe])
        if reason is not None and always:
            raise InputError(f"--stack always, arm '{arm.name}': {reason}")
        together = reason is None and (always or pays([recipe] * seeds))
        stacks.append(Stack(f"{problem} {arm.name}", room(recipe)) if together else None)
    return stacks


def on_this_machine(plan: Plan, workspace: Path) -> Executor:
    """Return this machine's pool: as many workers as the cores can hold, or one a GPU."""
    if _on_gpus(plan):
        import torch

        gpus = max(1, torch.cuda.device_count())
        return LocalPool(workspace, gpus, gpus, used_files())
    return LocalPool(workspace, max(1, runtime.cores() // _threads(plan)), 0, used_files())


def on_a_cluster(plan: Plan, workspace: Path) -> Executor:
    """Return a Ray cluster, on which each cell has its threads, or a GPU.

    Raises:
        InputError: Ray is not installed, or there is no cluster.
    """
    from fourfold.study.ray_cluster import RayCluster

    return RayCluster(workspace, _threads(plan), int(_on_gpus(plan)), used_files())


def place_called(name: str) -> Place:
    """Return where cells run: `local` or `ray`.

    Raises:
        InputError: Ray is not installed, which is better said before anything is run.
    """
    if name == "local":
        return on_this_machine
    assert name == "ray"
    from fourfold.study.ray_cluster import check_installed

    check_installed()
    return on_a_cluster


def _on_gpus(plan: Plan) -> bool:
    return any(recipe.runtime.device == "cuda" for recipes in plan.values() for recipe in recipes)


def _threads(plan: Plan) -> int:
    return max(recipe.runtime.threads or 1 for recipes in plan.values() for recipe in recipes)


def _chain(cell: Cell, spaces: Sequence[Space], trials: int, metric: Metric) -> Chain[Tuned]:
    _, name, higher = metric
    return tuned(cell, spaces, trials, name, higher) if spaces else untuned(cell)
