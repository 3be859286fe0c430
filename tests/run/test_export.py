"""An export read back by safetensors and onnxruntime gives what the trained model gives, or nothing is written."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from fourfold.core.errors import InputError
from fourfold.run import export as module
from fourfold.run.export import TOLD, ExportError, export
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, start

RECIPES: dict[str, dict[str, Any]] = {
    "mlp": {"data": "digits", "model": {"name": "mlp", "widths": [16]}, "loss": "cross_entropy"},
    "lenet5": {"data": "digits", "model": "lenet5", "loss": "cross_entropy"},
    "table": {"data": "iris", "model": {"name": "mlp", "widths": [5], "dropout": 0.5}, "loss": "cross_entropy"},
    "gaussian": {
        "data": {"name": "diabetes", "task": "probabilistic_regression"},
        "model": {"name": "mlp", "widths": [5], "activation": "tanh"},
        "loss": "gaussian_nll",
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    workspace = tmp_path_factory.mktemp("runs")
    common = {"algorithm": "supervised", "budget": {"steps": 5}, "runtime": {"device": "cpu", "threads": 1}}
    return {name: start(name, load_recipe({**parts, **common})[1], workspace) for name, parts in RECIPES.items()}


def examples(run: Run, count: int) -> torch.Tensor:
    """Real examples of the test split, and random ones."""
    real = next(iter(run.parts.source.split("test", 8))).inputs[0]
    random = torch.randn(count, *real.shape[1:], generator=torch.Generator().manual_seed(count))
    return torch.cat([real, random])[:count]


def in_onnxruntime(path: Path, inputs: torch.Tensor) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["output"], {"input": inputs.numpy()})[0]


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", RECIPES)
def test_safetensors_holds_every_weight(name: str, trained: dict[str, Run], tmp_path: Path) -> None:
    from safetensors.torch import load_file

    run = trained[name]
    report = export(run, tmp_path / "가중치.safetensors")
    weights = load_file(report.path)
    expected = run.model.state_dict()
    assert set(weights) == set(expected)
    assert all(torch.equal(weights[key], expected[key]) for key in expected)
    assert (report.format, report.max_difference) == ("safetensors", 0.0)
    assert report.examples > 8  # real and random ones


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", ["mlp", "lenet5", "gaussian"])
def test_onnx_gives_what_the_model_gives_at_any_batch_size(name: str, trained: dict[str, Run], tmp_path: Path) -> None:
    run = trained[name]
    report = export(run, tmp_path / "model.onnx")
    assert report.max_difference < 1e-4
    for count in (1, 2, 13, 64):
        inputs = examples(run, count)
        with torch.inference_mode():
            expected = run.model(inputs).numpy()
        np.testing.assert_allclose(in_onnxruntime(report.path, inputs), expected, rtol=1e-4, atol=1e-5)


def test_onnx_says_how_its_inputs_are_made(trained: dict[str, Run], tmp_path: Path) -> None:
    """Whoever has nothing but the file can use it."""
    import onnxruntime

    run = trained["lenet5"]
    path = export(run, tmp_path / "model.onnx").path
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map[TOLD])
    (mean,), (deviation,) = told["encoding"]["mean"], told["encoding"]["deviation"]
    assert told["spec"]["class_names"] == list("0123456789")
    pixels = load_digits().images[:, None]
    scores = in_onnxruntime(path, torch.tensor((pixels - mean) / deviation, dtype=torch.float32))
    batch = next(iter(run.parts.source.split("test", 8)))
    with torch.inference_mode():
        own = run.model(*batch.inputs)
    distances = np.abs(scores[:, None] - own.numpy()).max(2).min(0)
    assert distances.max() < 1e-4  # each test picture's scores are among those of all pictures


@pytest.mark.promise("R20")
def test_onnx_is_quiet_and_leaves_nothing_beside_the_file(
    trained: dict[str, Run], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        export(trained["lenet5"], tmp_path / "model.onnx")
    assert [str(each.message) for each in heard] == []
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def with_a_wrong_weight(model: nn.Module) -> nn.Module:
    with torch.no_grad():
        next(model.parameters()).view(-1)[3] += 0.5
    return model


@pytest.mark.promise("R20")
@pytest.mark.parametrize("existing", [True, False])
def test_a_wrong_weight_in_safetensors_writes_nothing(
    existing: bool, trained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    def load(data: bytes) -> dict[str, torch.Tensor]:
        weights = true_load(data)
        first = next(name for name in weights if name.endswith("weight"))
        weights[first].view(-1)[weights[first].numel() // 2] += 0.5
        return weights

    true_load = safetensors.torch.load
    monkeypatch.setattr(safetensors.torch, "load", load)
    refuses(trained["mlp"], tmp_path / "model.safetensors", existing)


@pytest.mark.promise("R20")
def test_a_wrong_weight_in_onnx_writes_nothing(
    trained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exported(model: nn.Module, *args: Any, **options: Any) -> Any:
        import copy

        return true_export(with_a_wrong_weight(copy.deepcopy(model)), *args, **options)

    true_export = torch.onnx.export
    monkeypatch.setattr(torch.onnx, "export", exported)
    refuses(trained["mlp"], tmp_path / "model.onnx", existing=True)


def refuses(run: Run, path: Path, existing: bool) -> None:
    """Check that nothing is written, and that what stood there stays."""
    if existing:
        path.write_bytes(b"an earlier export")
    with pytest.raises(ExportError, match=r"^the exported model is off by 0?\.?\d.*; nothing was written$") as error:
        export(run, path)
    assert "\n" not in str(error.value)
    assert [each.name for each in path.parent.iterdir()] == ([path.name] if existing else [])
    if existing:
        assert path.read_bytes() == b"an earlier export"


@pytest.mark.promise("R20")
def test_outputs_that_are_not_numbers_or_have_another_shape_are_a_mismatch() -> None:
    with pytest.raises(ExportError, match=r"nothing was written"):
        module._compare([torch.zeros(2, 3)], [torch.full((2, 3), torch.nan)])
    with pytest.raises(ExportError, match=r"returns \[2, 1\], the trained one \[2, 3\]"):
        module._compare([torch.zeros(2, 3)], [torch.zeros(2, 1)])
    assert module._compare([torch.ones(2), torch.ones(1)], [torch.ones(2), torch.ones(1) + 1e-5]) == pytest.approx(
        1e-5, rel=0.1
    )


def test_the_file_s_ending_says_the_format_and_a_word_says_it_without_a_file(trained: dict[str, Run]) -> None:
    run = trained["table"]
    assert export(run).path == run.folder.path / "model.safetensors"
    assert export(run, format="onnx").path == run.folder.path / "model.onnx"


def test_mistakes_are_one_line(trained: dict[str, Run], tmp_path: Path) -> None:
    run = trained["table"]
    with pytest.raises(InputError, match=r"^cannot export to 'onx'; did you mean 'onnx'"):
        export(run, format="onx")
    with pytest.raises(InputError, match=r"^cannot export to 'pt'; one of onnx, safetensors$"):
        export(run, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"no such folder$"):
        export(run, tmp_path / "absent" / "model.onnx")
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(InputError, match=r"model\.safetensors: .*directory"):
        export(run, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors: the name says safetensors, the format onnx; "):
        export(run, tmp_path / "other.safetensors", format="onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


TEXTS: dict[str, dict[str, Any]] = {
    "text": {"model": {"name": "gpt", "layers": 1, "width": 8, "heads": 2}, "loss": "cross_entropy"},
    "pairs": {
        "model": {"name": "transformer", "layers": 1, "width": 8, "heads": 2, "hidden": 8},
        "loss": "cross_entropy",
    },
    "masked_text": {
        "model": {"name": "bert", "layers": 1, "width": 8, "heads": 2, "max_length": 16},
        "loss": "masked_and_next",
    },
}


@pytest.fixture(scope="module")
def of_texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    workspace = tmp_path_factory.mktemp("texts")
    file = workspace / "글.txt"
    file.write_text("\n\n".join(f"word {i}.\tand {i}." for i in range(40)), encoding="utf-8")
    sizes = {"text": {"length": 12}, "pairs": {"max_length": 16}, "masked_text": {"max_length": 16}}
    common = {"algorithm": "supervised", "budget": {"steps": 1}, "runtime": {"device": "cpu", "threads": 1}}
    return {
        name: start(
            name,
            load_recipe({"data": {"name": name, "path": str(file), **sizes[name]}, **parts, **common})[1],
            workspace,
        )
        for name, parts in TEXTS.items()
    }


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", TEXTS)
def test_models_of_texts_are_exported_too_and_compared_on_tokens_that_there_are(
    name: str, of_texts: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    run = of_texts[name]
    report = export(run, tmp_path / "model.safetensors")
    weights = safetensors.torch.load_file(report.path)
    assert all(torch.equal(weights[key], value) for key, value in run.model.state_dict().items())
    assert report.max_difference == 0.0
    assert report.examples > 3

    def load(data: bytes) -> dict[str, torch.Tensor]:
        return {key: value + 0.5 if key.endswith("norm1.bias") else value for key, value in true_load(data).items()}

    true_load = safetensors.torch.load
    monkeypatch.setattr(safetensors.torch, "load", load)
    with pytest.raises(ExportError, match=r"^the exported model is off by"):
        export(run, tmp_path / "wrong.safetensors")
    with pytest.raises(InputError, match=r"^export: onnx is for models of numbers and pictures; .*safetensors$"):
        export(run, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
