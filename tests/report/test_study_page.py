"""A study's page: every section, whatever the shape of the study, and nothing of it but text and drawings."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.report.study_page import write_study_page

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
ONE = {
    "iris-softmax": {
        "sgd": [0.90, 0.91, 0.92, 0.90, 0.93, 0.91, 0.92],
        "adam": [0.94, 0.95, 0.97, 0.94, 0.97, 0.95, 0.96],
    }
}
SECTIONS = ["result", "verdict", "asked", "arms", "curves", "cost", "reproduce", "environment"]
LR = "algorithm.optimizer.lr=0.1:0.9"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text(encoding="utf-8")
        self.ids, self.tags, self.loaded, self.handlers = [], [], [], []
        self.text, self._inside = "", ""
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._inside = tag
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                self.loaded.append(value)
            elif name.startswith("on"):
                self.handlers.append(value)

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data.replace("\u00a0", " ")

    @property
    def figures(self) -> set[str]:
        return set(re.findall(r'<figure id="([^"]+)"', self.source))


def read(folder: Path, **options) -> Page:
    page = Page(write_study_page(folder, **options))
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("svg") == page.tags.count("figure")
    assert not re.search(r"\b(nan|NaN|None|inf)\b", page.text)
    return page


def test_one_recipe_has_its_sections_in_order(write_study):
    page = read(write_study(ONE))
    assert [each for each in page.ids if each in SECTIONS] == SECTIONS
    assert page.figures == {"scores", "differences", "train-loss", "validation-accuracy", "score-by-time"}
    assert "adam is better than sgd by 4.14 [3.79, 4.49] points." in page.text.replace("\n", "")
    assert page.text.index("is better than") < page.text.index("What was asked")
    assert not {"unfair", "missing", "tuning", "overall"} & set(page.ids)
    assert "nfair comparison" not in page.source


def test_effect_sizes_and_what_the_seeds_would_find_are_told(write_study):
    folder = write_study(ONE)
    (row,) = json.loads((folder / "study.json").read_text(encoding="utf-8"))["problems"][0]["comparisons"]
    text = read(folder).text
    assert f"Effect size {row['effect_size']:.2g} (mean difference over its standard deviation)." in text
    assert f"With 7 seeds, differences from {100 * row['minimum_detectable']:.3g} points on are found in 80 %" in text


@pytest.mark.promise("R21")
def test_a_page_loads_nothing(write_study):
    page = read(write_study(ONE, tune=[LR], varied="algorithm.optimizer.momentum"))
    assert [a for a in page.loaded if not a.startswith(("#", "data:image/png;base64,"))] == []
    assert {a[1:] for a in page.loaded} <= set(page.ids)
    assert "default-src 'none'" in page.source
    assert not {"link", "iframe", "object", "embed", "base", "img", "a"} & set(page.tags)


@pytest.mark.promise("R18")
def test_names_that_are_html_stay_text(write_study):
    arms = {EVIL: [0.9, 0.8, None], "고양이 최적화기": [0.9, 0.7, 0.6], "$x$ & <b>": [0.5, 0.6, 0.7]}
    folder = write_study(
        {EVIL: arms, "둘째": arms}, because=EVIL, unfair=[EVIL], tune=[LR], varied=f"model.{EVIL}", use=[EVIL]
    )
    page = read(folder)
    assert page.tags.count("script") == 1
    assert page.handlers == []
    assert not {"img", "b>"} & set(page.tags)
    assert page.text.count(EVIL) > 10
    assert "고양이 최적화기" in page.text


def test_what_is_unfair_stands_in_red_above_the_verdict(write_study):
    page = read(write_study(ONE, unfair=["unequal steps: sgd 40, adam 80"]))
    assert page.source.index('class="card note bad"') < page.source.index('id="verdict"')
    assert "unequal steps: sgd 40, adam 80" in page.text
    assert ">unfair</span>" in page.source
    assert ">complete</span>" not in page.source


@pytest.mark.promise("R15")
def test_every_figure_of_an_unfair_comparison_says_so_also_as_a_png(write_study, monkeypatch):
    from fourfold.report.drawing import Drawn

    written = []
    monkeypatch.setattr(Drawn, "write_png", lambda self, folder: written.append(self))
    scores = {name: {"sgd": [0.8, 0.81], "adam": [0.9, 0.91]} for name in ("a", "b")}
    params = {"adam": 200}
    page = read(write_study(scores, unfair=["unequal steps"], tune=[LR], params=params), png=True)
    drawings = re.findall(r"<figure .*?</figure>", page.source, re.DOTALL)
    kinds = {
        "ranks",
        "profile",
        "scores-1",
        "differences-2",
        "train-loss-1",
        "score-by-time-1",
        "score-by-size-2",
        "tuning-1-1",
    }
    assert kinds <= page.figures
    assert len(drawings) == len(page.figures)
    assert all(">unfair comparison</text>" in drawing for drawing in drawings)
    assert all("<figcaption>Unfair comparison. " in drawing for drawing in drawings)
    assert {each.name for each in written} == page.figures
    assert {each.figure.get_suptitle() for each in written} == {"unfair comparison"}


def test_a_study_that_is_not_complete_says_so(write_study):
    folder = write_study(ONE)
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    (folder / "study.json").write_text(json.dumps({**study, "complete": False}), encoding="utf-8")
    page = read(folder)
    assert ">not complete</span>" in page.source
    assert "This study is not complete" in page.text


def test_runs_without_a_score_are_told_with_the_reason(write_study):
    page = read(
        write_study({"iris-softmax": {"sgd": [0.9, 0.8, None], "adam": [None, None, None]}}, because="it burst")
    )
    assert "sgd, seed 2: diverged: it burst" in page.text
    assert "adam, seeds 0, 1 and 2: diverged: it burst" in page.text
    assert "adam cannot be compared with sgd: there is no seed at which both finished." in page.text
    assert "differences" not in page.figures
    assert "0 of 3" in page.text
    assert "2runs finished of 6" in page.text


def test_a_tuning_shows_what_was_offered_and_chosen(write_study):
    page = read(write_study(ONE, tune=[LR], varied="algorithm.optimizer.momentum"))
    assert "tuning-1" in page.figures
    assert "TPE, 3 trials for each arm and seed, on validation" in page.text
    assert "TPE draws its first 10 at random, so this is a random search" in page.text
    assert page.text.count("0.5") >= 14  # low + (high - low) * 2 / 4, at each of 7 seeds for each of 2 arms
    assert "42trials before them" in page.text


def test_several_recipes_are_ranked(write_study):
    scores = {
        name: {"sgd": [0.8, 0.81], "adam": [0.9, 0.91], "third": [0.5, 0.4]} for name in ("a", "b", "c", "d", "e")
    }
    page = read(write_study(scores))
    assert {"ranks", "profile", "scores-1", "differences-4", "score-by-time-2"} <= page.figures
    assert "average rank over 5 recipes, the best: adam" in page.text
    assert "Each verdict as a sentence" in page.text
    assert "Held equal on each recipe" in page.text
    assert "scores-5" not in page.figures
    assert "Figures are drawn for the first 4 recipes." in page.text


def test_what_was_held_equal_is_short_first_and_whole_behind(write_study):
    page = read(write_study(ONE))
    asked = page.source[page.source.index('id="asked"') : page.source.index('id="arms"')]
    short, whole = asked.split("<details>")
    assert "<dt>data</dt><dd>iris</dd>" in short
    assert "data.split_seed" not in short
    assert "<dt>data.split_seed</dt><dd>0</dd>" in whole


@pytest.mark.parametrize(
    "shape",
    [
        {"scores": {"r": {f"an arm with a name as long as this, number {i}": [0.01 * i, 0.02 * i] for i in range(40)}}},
        {"scores": {"r": {"only": [0.5, 0.6]}}, "tune": [LR], "varied": "loss.label_smoothing"},
        {"scores": {"r": {"a": [0.5], "b": [0.6]}}},
        {"scores": {"r": {"a": [0.5, 0.5], "b": [0.5, 0.5]}}},
        {"scores": {"r": {"a": [None], "b": [None]}}},
        {"scores": {"r": {"a": [0.0, 0.0], "b": [0.0, 0.0]}}},
        {"scores": {"r": {"a": [None, None], "b": [0.6, 0.7]}}, "against": "b"},
        {"scores": {"r": {"a": [1e100, 2e100], "b": [1e-100, 1.0]}}, "metric": "test.rmse", "higher": False},
        {"scores": {"r": {"a": [-3.0, 2.0], "b": [4.0, -5.0]}}, "metric": "validation.loss", "higher": False},
        {"scores": {f"r{i}": {"a": [0.0, 0.1], "b": [1.0, 0.9]} for i in range(6)}},
        {"scores": {f"r{i}": {f"{j}": [0.1 * j] for j in range(12)} for i in range(2)}},
        {"scores": {f"r{i}": {"a": [-1.0, 0.1], "b": [None, None]} for i in range(2)}},
        {"scores": {"r": {"a": [0.5, 0.6], "b": [0.6, None]}}, "curves": False},
        {"scores": {"r": {"a": [0.5, 0.6], "b": [0.6, None]}}, "params": {"a": 1, "b": 10**9}, "smallest": 5.0},
    ],
)
def test_no_shape_of_study_breaks_the_page(write_study, shape):
    page = read(write_study(**shape))
    assert {"result", "asked", "reproduce"} <= set(page.ids)


def test_runs_that_are_gone_leave_a_page_that_says_so(write_study, tmp_path):
    page = read(write_study(ONE, curves=False))
    assert f"No curves: no finished run that recorded any is in {tmp_path / 'cells'}." in page.text
    assert page.figures == {"scores", "differences", "score-by-time"}
    assert "environment" not in page.ids


def test_costs_that_are_gone_or_no_numbers_leave_a_page(write_study):
    folder = write_study(ONE)
    costs = json.loads((folder / "costs.json").read_text(encoding="utf-8"))
    for cost in costs["cells"].values():
        cost["seconds"] = cost["peak_memory_bytes"] = "nan"
    (folder / "costs.json").write_text(json.dumps(costs), encoding="utf-8")
    assert "score-by-time" not in read(folder).figures
    (folder / "costs.json").unlink()
    assert "score-by-time" not in read(folder).figures


def test_each_figure_is_written_as_a_png_too(write_study):
    folder = write_study(ONE)
    page = read(folder, png=True)
    assert {file.stem for file in (folder / "figures").glob("*.png")} == page.figures
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in (folder / "figures").iterdir())


def test_what_is_no_study_is_named(write_study, tmp_path):
    with pytest.raises(InputError, match=r"study\.json: no such file"):
        write_study_page(tmp_path)
    (tmp_path / "study.json").write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(InputError, match=r"study\.json: written by another version"):
        write_study_page(tmp_path)


def test_the_report_command_finds_a_study_by_name_and_by_folder(write_study, tmp_path, capsys, monkeypatch):
    folder = write_study(ONE)
    workspace = ["--workspace", str(tmp_path)]
    assert main(["report", folder.name, *workspace, "--json", "--png"]) == 0
    assert json.loads(capsys.readouterr().out) == {"study": folder.name, "path": str(folder / "study.html")}
    assert (folder / "figures" / "differences.png").exists()
    monkeypatch.chdir(folder)
    assert main(["report", ".", "--to", "elsewhere.html"]) == 0
    assert "train-loss" in Page(folder / "elsewhere.html").figures  # its runs were found from here too
    capsys.readouterr()
    assert main(["report", "no-such-name", *workspace]) == 2
    assert "no run or study 'no-such-name'" in capsys.readouterr().err


@pytest.mark.promise("R16")
def test_the_middle_of_the_runs_and_the_chance_of_improvement_stand_beside_the_mean(write_study):
    """By hand: of four, the middle two; of 16 pairs of runs 9 are won by adam and 2 are ties, so 10 of 16."""
    sgd, adam = [0.1, 0.2, 0.3, 0.9], [0.2, 0.3, 0.4, 0.8]
    page = read(write_study({"r": {"sgd": sgd, "adam": adam}}))
    assert "25.00 % [10, 90]" in page.text  # of four runs drawn again all may be the lowest, or the highest
    assert "35.00 % [20, 80]" in page.text
    assert "62 %" in page.text  # 62.5, to even
    assert "how often a run of the arm beats one of sgd" in page.text


@pytest.mark.promise("R16")
def test_over_several_recipes_of_one_metric_all_runs_are_pooled(write_study):
    from scipy.stats import trim_mean

    scores = {
        "a": {"sgd": [0.1, 0.2, 0.3], "adam": [0.2, 0.4, 0.5]},
        "b": {"sgd": [0.7, 0.8, 0.9], "adam": [0.5, 0.6, 0.95]},
    }
    folder = write_study(scores)
    overall = json.loads((folder / "study.json").read_text(encoding="utf-8"))["overall"]
    for place, arm in enumerate(("sgd", "adam")):
        middle = overall["interquartile"][place]
        assert middle["mean"] == pytest.approx(trim_mean([*scores["a"][arm], *scores["b"][arm]], 0.25))
        assert middle["low"] < middle["mean"] < middle["high"]
    assert overall["probability_of_improvement"] == [None, pytest.approx((7.5 / 9 + 3 / 9) / 2)]
    page = read(folder)
    assert page.text.index("58 %") < page.text.index("What each arm scored on a")


def test_the_show_command_prints_a_study(write_study, tmp_path, capsys):
    folder = write_study(ONE)
    place = ["--workspace", str(tmp_path)]
    assert main(["show", folder.name, *place]) == 0
    out, err = capsys.readouterr()
    assert "adam" in out
    assert "better" in out
    assert f"fourfold report {folder.name}" in err
    assert main(["show", folder.name, *place, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"][0]["arms"][1]["mean"] == pytest.approx(0.9543, abs=1e-4)
    assert main(["show", folder.name, *place, "--yaml"]) == 2


def test_a_table_of_scores_fits_its_page(write_study):
    """Intervals stand under their numbers; on a phone each arm is a block, whose numbers carry the heads' words."""
    page = read(write_study(ONE))
    (table,) = re.findall(r'<table class="scored">.*?</table>', page.source)
    assert re.search(r'<td data-title="mean">[\d.]+\s% <span class="ends">\[[^<]*\]</span></td>', table)
    assert re.search(r'<td data-title="difference \(points\)">\+\S+ <span class="ends">\[\+[^<]*\]</span></td>', table)
    heads = re.findall(r'<th scope="col">([^<]*)</th>', table)
    assert re.findall(r'data-title="([^"]*)"', table) == 2 * heads[1:]
    styles = page.source.partition("</style>")[0]
    assert ".scored td::before { content: attr(data-title)" in styles
    assert re.search(r"\.scroll \{[^}]*var\(--shade\)", styles)  # what scrolls shows it
