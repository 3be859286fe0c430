"""Weights of a file in a network: every name its place, every place its name, or all that do not fit in one line."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.base import ModelConfig
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

FILE = Path("theirs.pth")
PUBLISHED = {  # torchvision's weights enumerations: `IMAGENET1K_V1`
    "alexnet_one_tower": "alexnet",
    "googlenet_bn": "googlenet",
    **{name: name for name in MODELS if re.fullmatch(r"vgg\d+(_bn)?|resnet(18|34|50|101|152)|densenet1?\d\d", name)},
    **{name: name for name in ("densenet121", "densenet161", "densenet169", "densenet201")},
}


def config_of(name: str, **fields: object) -> Any:
    return MODELS.parse({"name": name, **fields}, "model")


def on_meta(name: str, classes: int = 1000, **fields: object) -> nn.Module:
    with torch.device("meta"):
        return config_of(name, **fields).build(ClassificationSpec(Image(3, 224, 224), tuple(map(str, range(classes)))))


def theirs(name: str) -> nn.Module:
    with torch.device("meta"):
        extra = {"init_weights": False} if name == "googlenet" else {}
        return getattr(torchvision.models, name)(**extra)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_network_takes_torchvisions_state_dict(name) -> None:
    state = theirs(PUBLISHED[name]).state_dict()
    assert put_weights(on_meta(name), config_of(name), state, 1000, FILE) == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_file_is_torchvisions(name) -> None:
    weights = torchvision.models.get_model_weights(PUBLISHED[name]).IMAGENET1K_V1
    assert weights.url.rpartition("/")[2] == config_of(name).published()
    assert weights.url == f"https://download.pytorch.org/models/{config_of(name).published()}"


def test_networks_that_torchvision_has_not_have_no_file() -> None:
    for name, fields in [
        ("alexnet", {}),
        ("nin", {}),
        ("googlenet", {}),
        ("mlp", {}),
        ("resnet20", {}),
        ("resnet50", {"stride_in": "1x1"}),
        ("resnet18", {"shortcut": "identity"}),
        ("densenet121", {"growth": 12}),
        ("densenet121", {"compression": 1.0}),
        ("vgg16", {"norm": "group"}),
    ]:
        assert config_of(name, **fields).published() is None, (name, fields)
        with pytest.raises(InputError, match=f"^weights: torchvision publishes none for this {config_of(name).name}"):
            locate("torchvision", config_of(name, **fields))


def test_dense_networks_files_say_norm_1_with_a_point() -> None:
    """As the published files do, which are older than the rule against points in names."""
    state = theirs("densenet121").state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): value for name, value in state.items()}
    assert set(old) != set(state)
    assert put_weights(on_meta("densenet121"), config_of("densenet121"), old, 1000, FILE) == []


def test_files_without_counters_of_batches_fit() -> None:
    state = {name: v for name, v in theirs("resnet18").state_dict().items() if "num_batches" not in name}
    assert put_weights(on_meta("resnet18"), config_of("resnet18"), state, 1000, FILE) == []


def test_auxiliary_classifiers_are_left_out_where_there_are_none() -> None:
    config = config_of("googlenet_bn", auxiliary_weight=None)
    with torch.device("meta"):
        model = config.build(config.paper_spec())
    assert put_weights(model, config, theirs("googlenet").state_dict(), 1000, FILE) == []


class Small(nn.Module):
    """A body and a head."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 4), nn.Linear(4, classes)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: torch.randn_like(value) for name, value in model.state_dict().items()}


class SmallConfig(ModelConfig):
    name: str = "small"


def put(model: nn.Module, state: dict[str, Tensor], outputs: int = 3) -> list[str]:
    return put_weights(model, SmallConfig(), state, outputs, FILE)


def test_every_number_is_copied() -> None:
    model, state = Small(), state_of(Small())
    assert put(model, state) == []
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_an_output_layer_of_another_size_stays_as_drawn_and_is_said() -> None:
    model, state = Small(5), state_of(Small(3))
    drawn = model.head.weight.clone()
    notes = put(model, state, outputs=5)
    assert notes == ["weights: head.weight, head.bias drawn anew: the file has 3 outputs, the data 5"]
    assert torch.equal(model.head.weight, drawn)
    assert torch.equal(model.body.weight, state["body.weight"])


def test_everything_that_does_not_fit_is_one_line_and_nothing_is_copied() -> None:
    model, state = Small(), state_of(Small())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state["extra.weight"] = torch.zeros(1)
    state["body.bias"] = torch.zeros(7)
    del state["head.bias"]
    line = (
        "weights: theirs.pth does not fit this small: unknown: extra.weight; missing: head.bias; "
        "of another shape: body.bias is 7, here 4"
    )
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        put(model, state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_inner_layer_of_another_width_is_no_output_layer() -> None:
    """[4, 2] against [6, 2] differs in the first size only, as an output layer would."""
    model, state = Small(), state_of(Small())
    state["body.weight"], state["body.bias"] = torch.zeros(6, 2), torch.zeros(6)
    with pytest.raises(InputError, match=r"of another shape: body\.weight is 6x2, here 4x2, body\.bias is 6, here 4"):
        put(model, state)


def test_of_many_names_some_are_shown() -> None:
    state = {**state_of(Small()), **{f"x{i}": torch.zeros(1) for i in range(9)}}
    with pytest.raises(InputError, match=r"unknown: x0, x1, x2, x3, x4, x5 and 3 more$"):
        put(Small(), state)


def test_photographs_weights_in_the_small_stem_say_what_helps() -> None:
    with torch.device("meta"):
        small = config_of("resnet18").build(ClassificationSpec(Image(3, 32, 32), tuple("0123456789")))
    line = r"does not fit this resnet, or try model\.stem=imagenet: of another shape: conv1\.weight is 64x3x7x7, here"
    with pytest.raises(InputError, match=line):
        put_weights(small, config_of("resnet18"), theirs("resnet18").state_dict(), 10, FILE)


@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
def test_a_named_size_takes_a_file(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(0)
    state = torchvision.models.resnet18(num_classes=10).state_dict()
    file = tmp_path / f"가중치.{suffix}"
    if suffix == "safetensors":
        save_file(state, file)
    else:
        torch.save(state if suffix == "pth" else {"state_dict": state, "epoch": 3}, file)
    model = ff.models.resnet18(num_classes=10, weights=file)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.mark.promise("R7")
def test_a_file_that_holds_code_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": _Runs()}, tmp_path / "bad.pth")
    with pytest.raises(InputError, match=r"bad\.pth: not a file of .*: it holds something else than tensors") as told:
        read_weights(tmp_path / "bad.pth")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x02garbage", b"\xff" * 64])
def test_damaged_files_are_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"^weights: .*not a file of weights that can be read: .+") as told:
        read_weights(tmp_path / name)
    assert "\n" not in str(told.value)


def test_junk_is_said_to_be_no_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "junk.pth").write_bytes(b"junk not weights at all")
    with pytest.raises(InputError) as told:
        read_weights(tmp_path / "junk.pth")
    why = "not a file of weights that can be read: it is damaged, or was never saved by torch"
    assert str(told.value) == f"weights: {tmp_path / 'junk.pth'}: {why}"


def test_other_contents_and_other_files_are_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(InputError, match="expected tensors by name"):
        read_weights(tmp_path / "list.pth")
    with pytest.raises(InputError, match=r"^weights: .*bin: a file of weights ends in \.pth, \.pt or \.safetensors$"):
        read_weights(tmp_path / "weights.bin")
    with pytest.raises(InputError, match=r"^weights: nowhere\.pth: no such file$"):
        ff.models.resnet18(weights="nowhere.pth")


def test_torchvisions_file_is_looked_for_in_torchs_hub_cache_and_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    place = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    line = f"weights: {place} is not there; fetch https://download.pytorch.org/models/resnet18-f37072fd.pth and put it"
    with pytest.raises(InputError, match=f"^{re.escape(line)}"):
        ff.models.resnet18(weights="torchvision")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    assert locate("torchvision", config_of("resnet18")) == place
