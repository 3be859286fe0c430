"""What is shown, against facts counted by hand."""

import json
import subprocess
import sys

import pytest

import fourfold as ff
from fourfold.cli import main
from fourfold.core.recipe import Recipe
from fourfold.run.inspect import describe_fields, measure_part, type_in_words
from fourfold.run.parts import TABLES, load_recipe, recipe_names


def answer(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_lenet5_is_counted_by_hand(capsys):
    assert main(["show", "lenet5", "--json"]) == 0
    shown = answer(capsys)
    assert shown["params"] == 61_706
    c1, c3 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25
    assert shown["flops"] == 2 * (c1 + c3 + 400 * 120 + 120 * 84 + 84 * 10)


def test_libraries_that_count_say_nothing_at_the_end_of_the_process():
    done = subprocess.run(
        [sys.executable, "-m", "fourfold", "show", "softmax_regression"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_response_normalisation_is_not_counted_however_it_is_computed(capsys):
    """It is computed by a convolution; AlexNet's own are five, and three full layers."""
    assert main(["show", "alexnet", "--json"]) == 0
    convolutions = 55**2 * 96 * 363 + 27**2 * 256 * 25 * 48
    convolutions += 13**2 * 9 * (384 * 256 + 384 * 192 + 256 * 192)
    assert answer(capsys)["flops"] == 2 * (convolutions + 9216 * 4096 + 4096 * 4096 + 4096 * 1000)


def test_a_size_is_shown_with_its_fields_set_and_every_paper(capsys):
    assert main(["show", "vgg16_bn", "--json"]) == 0
    shown = answer(capsys)
    assert (shown["preset"], shown["params"]) == ({"depth": 16, "norm": "batch"}, 138_365_992)
    assert main(["show", "alexnet_one_tower"]) == 0
    assert "One weird trick" in " ".join(capsys.readouterr().out.split())


def test_fields_of_a_model_can_be_given(capsys):
    assert main(["show", "model.mlp", "widths=[7,5]", "--json"]) == 0
    shown = answer(capsys)
    assert shown["params"] == 784 * 7 + 7 + 7 * 5 + 5 + 5 * 10 + 10
    assert shown["flops"] == 2 * (784 * 7 + 7 * 5 + 5 * 10)
    assert (
        shown["fields"]["dropout"]["range"] == "0.0 <= x < 1.0" or shown["fields"]["dropout"]["range"] == "0 <= x < 1"
    )


@pytest.mark.parametrize("name", list(TABLES["model"]))
def test_every_model_is_measured(name):
    facts = measure_part(TABLES["model"].parse(name, "model"))
    assert facts.params > 0 or facts.counted_later


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table])
def test_every_part_is_shown_with_each_field(kind, name, capsys):
    assert main(["show", f"{kind}.{name}"]) == 0
    shown = capsys.readouterr().out
    config = TABLES[kind].config_class(name)
    facts = describe_fields(config)
    assert [fact.name for fact in facts] == [field for field in config.model_fields if field != "name"]
    assert all(fact.name[:6] in shown and fact.description for fact in facts)
    if kind == "data":
        assert f"licence: {config.licence}"[:40] in shown


def test_a_recipe_shows_its_four_parts_and_steps(capsys):
    assert main(["show", "digits-mlp", "budget.batch_size=100", "budget.epochs=2"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "digits",
        "mlp",
        "cross_entropy",
        "supervised",
        "adam",
        "1,257 train",
        "13 steps an epoch",
        "26 steps",
    ):
        assert word in shown
    assert main(["show", "digits-mlp", "budget.batch_size=100", "--json"]) == 0
    facts = answer(capsys)
    assert (facts["params"], facts["steps_per_epoch"]) == (64 * 128 + 128 + 1290, 13)


def test_an_environment_is_shown_by_its_episodes(capsys):
    assert main(["show", "cartpole-dqn", "data.test_episodes=7"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "episodes 20 validation / 7 test, and 10,000 transitions count as an epoch" in shown
    assert "examples" not in shown.partition("episodes")[2].partition("expected")[0]


def test_a_step_is_explained(capsys):
    assert main(["show", "digits-mlp", "--steps"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("forward: MLP") < shown.index("backward") < shown.index("update: Adam")


MADE_FROM_OTHERS = ["mnist-gan", "simclr-resnet18-cifar10", "emoji-simclr", "reviews-bert-pretrain"]


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", ["mnist-mlp", *MADE_FROM_OTHERS])
def test_showing_never_fetches_data(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "empty"))
    assert main(["show", name]) == 0
    assert "have not been downloaded yet" in " ".join(capsys.readouterr().out.split())
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize("name", ["reviews-bert", "shakespeare-gru"])
def test_a_network_that_its_papers_data_do_not_fit_is_shown_without_its_size(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "empty"))
    assert main(["show", name]) == 0
    shown = capsys.readouterr().out
    assert "have not been downloaded yet" in " ".join(shown.split())
    assert "parameters" not in shown


def test_half_fetched_data_are_not_taken_for_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    assert main(["show", "mnist-mlp"]) == 0
    assert "have not been downloaded yet" in " ".join(capsys.readouterr().out.split())
    main(["doctor", "--json"])
    found = answer(capsys)["checks"]["data"]["found"].removeprefix(f"{tmp_path}: ")
    missing = found.removesuffix(" fetched by the first run that needs it").split(", ")
    assert {"mnist", "fashion_mnist"} <= set(missing)
    assert not any("here" in name for name in missing)


def test_yaml_reads_back_to_the_same_recipe(tmp_path, capsys):
    assert main(["show", "digits-mlp", "model.widths=[9]", "--yaml"]) == 0
    file = tmp_path / "mine.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    shown: Recipe = load_recipe(file)[1]
    assert shown == load_recipe("digits-mlp", {"model.widths": [9]})[1]


def test_an_ambiguous_name_shows_both_and_asks_for_json(capsys):
    assert main(["show", "perceptron"]) == 0
    shown = capsys.readouterr().out
    assert "model perceptron" in shown
    assert "loss perceptron" in shown
    assert main(["show", "perceptron", "--json"]) == 2
    assert "model.perceptron, loss.perceptron" in capsys.readouterr().err


def test_lists_hold_every_name(tmp_path, capsys):
    assert main(["list", "--json", "--workspace", str(tmp_path)]) == 0
    found = answer(capsys)
    assert found["recipes"] == recipe_names()
    assert found["parts"] == {kind: list(table) for kind, table in TABLES.items()}
    assert "xor-needs-depth" in found["claims"]
    assert found["runs"] == []


@pytest.mark.promise("R17")
def test_a_damaged_run_is_listed_and_hides_no_other(tmp_path, capsys):
    assert main(["run", "xor-mlp", "--workspace", str(tmp_path), "--quiet"]) == 0
    (tmp_path / "broken-1").mkdir()
    (tmp_path / "broken-1" / "run.json").write_text("{", encoding="utf-8")
    assert main(["list", "runs", "--workspace", str(tmp_path), "--json"]) == 0
    runs = {row["run_id"]: row["status"] for row in answer(capsys)["runs"]}
    assert runs == {"xor-mlp-1": "done", "broken-1": "damaged"}


def test_types_are_said_in_words():
    assert type_in_words(list[int] | None) == "list of integer or null"


def test_doctor_names_a_workspace_that_cannot_be_written(tmp_path, capsys):
    assert main(["doctor", "--workspace", str(tmp_path), "--json"]) == 0
    assert answer(capsys)["status"] == "ok"
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["doctor", "--workspace", str(tmp_path / "file"), "--json"]) == 1
    assert answer(capsys)["problems"] == ["workspace"]


def test_a_run_is_shown_with_what_was_typed_and_how_far_it_came(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/fourfold", "run", "xor-mlp", "model.widths=[4, 4]"])
    run = ff.run("xor-mlp", {"budget.steps": 3}, workspace=tmp_path)
    assert main(["show", str(run.folder.path)]) == 0
    assert "typed     fourfold run xor-mlp 'model.widths=[4, 4]'" in capsys.readouterr().out
    (run.folder.path / "result.json").unlink()  # as if it had been killed
    assert main(["show", str(run.folder.path)]) == 0
    assert "step 3 is the last that was recorded" in capsys.readouterr().out
    points = run.folder.metrics_file.read_text(encoding="utf-8")
    run.folder.metrics_file.write_text("{\n" + points, encoding="utf-8")
    assert main(["show", str(run.folder.path)]) == 0
    shown = capsys.readouterr().out
    assert "metrics.jsonl" in "".join(shown.split())
    assert "next:   fourfold" in shown
    monkeypatch.setattr(sys, "argv", ["notebook.py"])
    assert main(["show", str(ff.run("xor-mlp", {"budget.steps": 3}, workspace=tmp_path).folder.path)]) == 0
    assert "typed" not in capsys.readouterr().out
