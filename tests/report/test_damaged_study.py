"""A study whose files are JSON, but not a study's: every field taken away or exchanged is met with one line."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.report.study_page import write_study_page
from fourfold.study.content import read_study

SCORES = {
    "a": {"sgd": [0.90, 0.91, None, 0.90, 0.93, 0.91, 0.92], "adam": [0.94, 0.95, 0.97, 0.94, 0.97, 0.95, 0.96]},
    "b": {"sgd": [0.5, 0.6, 0.7, 0.4, 0.5, 0.6, 0.7], "adam": [0.6, 0.5, 0.7, 0.5, 0.4, 0.8, 0.7]},
}
WRONG: list[Any] = [None, "x", -1.5, [], {}, True]
NOT_READ = ("p", "deviation", "test", "effect_size", "minimum_detectable", "seeds_needed")  # of a comparison
DRAWN = 10  # of the files that are taken, whose page is written too: a second each


def damaged(whole: dict[str, Any]) -> Iterator[tuple[list[Any], str, dict[str, Any]]]:
    """Yield a place, what was done there, and what is left."""
    for place in list(places(whole)):
        *above, last = place
        for wrong in ("gone", *WRONG):
            other = copy.deepcopy(whole)
            inside: Any = other
            for step in above:
                inside = inside[step]
            if wrong == "gone":
                del inside[last]
            elif wrong == inside[last] and type(wrong) is type(inside[last]):
                continue
            else:
                inside[last] = wrong
            yield place, repr(wrong), other


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
    """Yield each place that differs in kind: of the many cells and settings the first of each will do."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in items:
        yield [*above, key]
        if key not in ("problems", "overrides", "metrics", "held_equal", "recipe") or isinstance(item, list):
            yield from places(item, (*above, key))


def refusal(folder: Path) -> str | None:
    """Return what is said of a study, None if it is taken."""
    try:
        read_study(folder)
    except InputError as error:
        return str(error)
    return None


def test_every_damage_is_one_line_that_names_the_file_and_the_field_or_leaves_a_page(write_study):
    folder: Path = write_study(SCORES, tune=["algorithm.optimizer.momentum=0.1:0.9"])
    file = folder / "study.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    taken, refused = [], 0
    for place, done, study in damaged(whole):
        file.write_text(json.dumps(study), encoding="utf-8")
        said = refusal(folder)
        if said is None:
            taken.append(study)
            continue
        refused += 1
        assert said.startswith(f"{file}: "), (place, done)
        assert "\n" not in said
        if done == "'gone'" and isinstance(place[-1], str) and place != ["format"]:
            assert str(place[-1]) in said, (place, said)
    assert refused > 300
    for study in random.Random(1).sample(taken, DRAWN):
        file.write_text(json.dumps(study), encoding="utf-8")
        write_study_page(folder)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("study.json", '{"format": 2}', "asked is missing"),
        ("study.json", '{"format": 1}', "written by another version of Fourfold"),
        ("study.json", "[]", "expected an object, found list"),
        ("costs.json", "{}", "cells is missing"),
        ("costs.json", '{"cells": {"k": 3}}', "cells.k: "),
        ("costs.json", '{"cells": []}', "cells: "),
        ("costs.json", "{", "not JSON"),
    ],
)
@pytest.mark.parametrize("command", ["report", "show"])
def test_a_damaged_file_is_exit_code_2(write_study, tmp_path, capsys, command, name, content, says):
    folder = write_study({"a": {"sgd": [0.9, 0.8], "adam": [0.7, 0.9]}}, curves=False)
    (folder / name).write_text(content, encoding="utf-8")
    assert main([command, folder.name, "--workspace", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{name}: " in err
    assert says in err


def test_parts_that_do_not_fit_are_named(write_study):
    folder = write_study(SCORES)
    file = folder / "study.json"
    whole = json.loads(file.read_text(encoding="utf-8"))

    def says(change: Any) -> str:
        study = copy.deepcopy(whole)
        change(study)
        file.write_text(json.dumps(study), encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_study(folder)
        return str(caught.value).removeprefix(f"{file}: damaged: ")

    assert says(lambda s: s["asked"].update(against="no")) == "asked.against: no arm is called 'no'"
    assert says(lambda s: s["problems"][1]["arms"].reverse()) == "problems.1.arms: not those that were asked"
    assert says(lambda s: s["problems"].pop()) == "problems: not those that were asked"
    assert says(lambda s: s["asked"]["arms"][1].update(name="sgd")) == "asked.arms: two have the same name"
    assert "cells are not of the seeds" in says(lambda s: s["asked"]["seeds"].pop())
    assert "not one of each arm but 'sgd'" in says(lambda s: s["problems"][0]["comparisons"].clear())
    assert says(lambda s: s["overall"]["arms"].pop()) == "overall: not one of each arm that was asked"
    assert "not one for each factor" in says(lambda s: s["overall"]["profile"]["factors"].append(9.0))
    assert "asked.tune: " in says(lambda s: s["asked"].update(tune=["lr"]))
