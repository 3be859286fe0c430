"""The page of a run that translates shows what it writes by itself, and where it looked."""

import json
from pathlib import Path
from typing import Any

import pytest
from whole_texts import sentence

import fourfold as ff
from fourfold.cli import main
from fourfold.report.page import write_report
from fourfold.report.translations import TEXTS, draw_translations

MODELS: dict[str, dict[str, Any]] = {
    "transformer": {"name": "transformer", "layers": 1, "width": 16, "heads": 2, "hidden": 16},
    "bahdanau": {"name": "seq2seq", "width": 16, "embedding": 8},
    "none": {"name": "seq2seq", "width": 16, "embedding": 8, "attention": "none"},
}


def run_of(name: str, place: Path) -> ff.Run:
    rows = "".join(f"{sentence(i, 4)}\t문서 {sentence(i, 4)}\n" for i in range(60))
    (place / "pairs.tsv").write_text(rows, encoding="utf-8")
    recipe = {
        "data": {"name": "pairs", "path": str(place / "pairs.tsv"), "vocab_size": 400, "target_language": "ko"},
        "model": MODELS[name],
        "loss": "usual",
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01}},
        "budget": {"steps": 60, "batch_size": 8},
        "runtime": {"device": "cpu", "threads": 1},
    }
    return ff.run(recipe, workspace=place)


@pytest.mark.parametrize("name", MODELS)
def test_the_page_says_what_fourfold_translate_says(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(name, tmp_path)
    drawn = draw_translations(run)
    assert drawn[0].name == "translations"
    assert len(drawn) == 1 or name != "none"  # a network that writes on and on has no map either
    heading, *lines = [text.get_text() for text in drawn[0].figure.axes[0].texts]
    assert heading == "What the model writes by itself"
    blocks: list[tuple[str, list[str]]] = []
    for label, line in zip(lines[::2], lines[1::2], strict=True):
        if label:
            blocks.append((label, []))
        blocks[-1][1].append(line.removesuffix("…"))
    assert [label for label, _ in blocks] == ["source", "ko", "model"] * TEXTS
    pairs = run.parts.source.raw("test", list(range(TEXTS)))
    command = ["translate", run.run_id, *(text for text, _ in pairs), "--workspace", str(tmp_path), "--json"]
    assert main(command) == 0
    told = [each["translation"] for each in json.loads(capsys.readouterr().out.splitlines()[-1])["translations"]]
    wanted = [text for (source, reference), said in zip(pairs, told, strict=True) for text in (source, reference, said)]
    for (_, shown), text in zip(blocks, wanted, strict=True):
        assert " ".join(text.split()).startswith(" ".join(shown)) or (shown == ["(nothing)"] and not text)
    assert drawn[0].caption.startswith(f"The first {TEXTS} texts of the test split: the text, its translation")


def test_the_map_is_of_one_of_the_texts_and_both_are_on_the_page(tmp_path: Path) -> None:
    run = run_of("bahdanau", tmp_path)
    _, attention = draw_translations(run)
    columns = [label.get_text() for label in attention.figure.axes[0].get_xticklabels()]
    assert " ".join(columns[:-1]) in [text for text, _ in run.parts.source.raw("test", list(range(TEXTS)))]
    page = write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="translations"' in page
    assert 'id="attention"' in page
    assert "next token after each true one" not in page
