import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fourfold.core.errors import DivergedError, InputError
from fourfold.report.page import write_report
from fourfold.report.predictions import Predictions
from fourfold.report.sections import ending
from fourfold.report.shown import _examples
from fourfold.run.api import open_run
from fourfold.run.api import run as run_recipe
from fourfold.run.run import Run
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Features

EVERY_RUN = {"result", "parts", "scores", "curves", "mistakes", "predictions", "data", "reproduce", "environment"}
OWN = {
    "pictures": {"learned", "seen"},
    "flowers": {"learned"},
    "plane": {"plane"},
    "numbers": {"learned"},
    "intervals": set(),
}


class Page(HTMLParser):
    """What a browser would make of a page: ids, addresses, scripts, and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids, self.loaded, self.links, self.scripts, self.handlers = [], [], [], [], []
        self.text, self.tags, self._inside = "", [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._inside = tag
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                (self.links if tag == "a" else self.loaded).append(value)
            elif name.startswith("on"):
                self.handlers.append(value)

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.text += data


def read(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OWN)
def test_each_task_has_its_sections_and_figures(runs, tmp_path, name):
    page = read(write_report(runs(name), tmp_path / "page.html"))
    sections = EVERY_RUN | OWN[name]
    assert sections <= set(page.ids)
    assert ("plane" in page.ids) == (name == "plane")
    assert page.tags.count("svg") == page.tags.count("figure") >= 4
    assert len(page.ids) == len(set(page.ids))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(scheme):
    style = (files("fourfold.report") / "style.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]))
    for text in ("ink", "muted", "blue", "orange", "green", "red"):
        for behind in ("card", "page", "wash") if text in ("ink", "muted") else ("card",):
            low, high = sorted((_luminance(colours[text]), _luminance(colours[behind])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, behind)  # WCAG 2.2, 1.4.3


def test_the_surest_predictions_are_not_called_right_where_they_are_wrong():
    spec = ClassificationSpec(Features(("x",)), ("a", "b"))
    source: Any = SimpleNamespace(spec=spec, raw=lambda split, members: torch.zeros(len(members), 1))
    output, targets = torch.tensor([[0.0, 1.0]]).repeat(8, 1), torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])
    predictions = Predictions(source, "test", Batch((torch.zeros(8, 1),), targets), output)
    worst, best = _examples(predictions)
    assert "least probability on their true class: all are wrong" in worst.caption
    assert "most probability on their true class: 1 is wrong" in best.caption


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", OWN)
def test_a_page_loads_nothing(runs, tmp_path, name):
    path = write_report(runs(name), tmp_path / "page.html")
    page = read(path)
    assert [a for a in page.loaded if not a.startswith(("#", "data:image/png;base64,"))] == []
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    styles = "".join(re.findall(r"<style>.*?</style>|style=\"[^\"]*\"", path.read_text(encoding="utf-8"), re.DOTALL))
    assert "@import" not in styles
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", styles))


def test_every_reference_inside_a_figure_has_its_target(runs, tmp_path):
    path = write_report(runs("plane"), tmp_path / "page.html")
    page = read(path)
    wanted = {a[1:] for a in page.loaded if a.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", path.read_text(encoding="utf-8")))
    assert wanted
    assert wanted <= set(page.ids)


@pytest.mark.promise("R18")
def test_names_that_are_html_stay_text(tmp_path):
    evil = "<script>alert(1)</script>"
    table = tmp_path / "own.csv"
    classes = [evil, "고양이", '""><img src=x onerror=alert(2)>']
    rows = [f'{i % 7},{(i * 3) % 5},"{classes[i % 3]}"' for i in range(90)]
    table.write_text('a,"<b>wide</b>",what\n' + "\n".join(rows) + "\n", encoding="utf-8")
    recipe = {
        "title": evil,
        "paper": {"title": evil, "year": 1999, "url": "javascript:alert(3)"},
        "data": {"name": "table", "path": str(table), "target": "what"},
        "model": "softmax_regression",
        "loss": "cross_entropy",
        "algorithm": "supervised",
        "budget": {"steps": 8, "validate_every": 2},
    }
    run = run_recipe(recipe, workspace=tmp_path / "runs")
    page = read(write_report(run, tmp_path / "page.html"))
    assert page.tags.count("script") == 1
    assert page.handlers == []
    assert "img" not in page.tags
    assert page.links == []
    assert evil in page.text
    assert "고양이" in page.text


@pytest.mark.promise("R18")
def test_the_policy_lets_only_our_script_run(runs, tmp_path):
    path = write_report(runs("flowers"), tmp_path / "page.html")
    page, text = read(path), path.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")


def test_what_was_expected_stands_beside_the_headline(runs, tmp_path):
    page = read(write_report(runs("pictures"), tmp_path / "page.html"))
    assert "the paper has 90.00 %, expected 91.00 % ± 1.00 % over 10 seeds" in page.text.replace("\u00a0", " ")


def test_png_files_are_written_beside_the_page(runs, tmp_path):
    run: Run = runs("pictures")
    path = write_report(run, png=True)
    assert path == run.folder.path / "report.html"
    written = {file.name: file.read_bytes() for file in run.folder.figures.glob("*.png")}
    expected = {
        "loss.png",
        "headline.png",
        "learning-rate.png",
        "confusion.png",
        "worst.png",
        "best.png",
        "weights.png",
        "embedding.png",
    }
    assert expected == set(written)
    assert all(data.startswith(b"\x89PNG") and len(data) > 2000 for data in written.values())


def test_a_diverged_run_says_why_and_draws_no_predictions(tmp_path):
    recipe = {
        "data": "diabetes",
        "model": "linear_regression",
        "loss": "mse",
        "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 1e12}},
        "budget": {"steps": 40, "log_every": 1, "validate_every": 1},
    }
    with pytest.raises(DivergedError) as raised:
        run_recipe(recipe, workspace=tmp_path)
    from fourfold.run.api import open_run

    run = open_run("recipe-1", workspace=tmp_path)
    page = read(write_report(run))
    assert str(raised.value) in page.text
    assert "Why it stopped" in page.text
    assert str(raised.value).startswith(f"step {run.result['steps']}: ")
    assert f"{run.result['steps']}steps of 40" in page.text
    assert {"parts", "reproduce"} <= set(page.ids)
    assert not {"mistakes", "predictions", "scores"} & set(page.ids)


def test_data_that_are_gone_leave_a_page_with_curves(tmp_path):
    table = tmp_path / "own.csv"
    table.write_text("a,b\n" + "".join(f"{i * i % 23},{2 * i + i % 3}\n" for i in range(60)), encoding="utf-8")
    recipe = {
        "data": {"name": "table", "path": str(table), "target": "b"},
        "model": "linear_regression",
        "loss": "mse",
        "algorithm": "supervised",
        "budget": {"steps": 8, "validate_every": 2},
    }
    run_id = run_recipe(recipe, workspace=tmp_path / "runs").run_id
    table.unlink()
    from fourfold.run.api import open_run

    page = read(write_report(open_run(run_id, workspace=tmp_path / "runs")))
    assert "No predictions are shown" in page.text
    assert "own.csv" in page.text
    assert "curves" in page.ids


@pytest.mark.parametrize("name", ["pictures", "flowers", "plane", "numbers"])
def test_what_was_decided_about_the_data_is_listed(runs, tmp_path, name):
    notes = runs(name).result["notes"]
    assert len(notes) >= 3
    assert all(note in read(write_report(runs(name), tmp_path / "a.html")).text for note in notes)


def test_a_run_that_was_killed_does_not_say_that_nothing_was_decided(runs, tmp_path):
    copy = shutil.copytree(runs("flowers").folder.path, tmp_path / "flowers-1")
    (copy / "result.json").unlink()
    text = read(write_report(open_run(copy))).text
    assert "The record holds no decision about the data." in text
    assert "had to be made" not in text


def test_a_run_that_was_killed_keeps_the_curve_of_its_headline(runs, tmp_path):
    copy = shutil.copytree(runs("flowers").folder.path, tmp_path / "flowers-1")
    (copy / "result.json").unlink()
    assert open_run(copy).headline == "accuracy"
    assert "headline" in read(write_report(open_run(copy))).ids
    (copy / "inputs.json").unlink()  # killed before it could write even that
    assert open_run(copy).headline == "loss"
    ids = read(write_report(open_run(copy))).ids
    assert "loss" in ids
    assert "headline" not in ids


def test_a_figure_that_cannot_be_written_is_named(runs, tmp_path):
    copy = shutil.copytree(runs("flowers").folder.path, tmp_path / "flowers-1")
    shutil.rmtree(copy / "figures", ignore_errors=True)
    (copy / "figures").touch()
    with pytest.raises(InputError, match=re.escape(f"{copy}/figures/loss.png: ")):
        write_report(open_run(copy), png=True)


@pytest.mark.promise("R18")
def test_a_message_that_is_html_stays_text(runs):
    page = Page(ending(runs("flowers"), "<script>alert(4)</script>: no such file"))
    assert "script" not in page.tags
    assert "<script>alert(4)</script>: no such file" in page.text
