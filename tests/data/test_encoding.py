import json
import sys

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from fourfold.core.errors import InputError
from fourfold.data.encoding import FeaturesEncoding, Standardise, encoding_from_mapping, statistics
from fourfold.data.image_encoding import ImageEncoding

NAMES = ("키 (cm)", "weight", "age")


def encoding() -> FeaturesEncoding:
    return FeaturesEncoding(names=list(NAMES), mean=[170.0, 60.0, 30.0], deviation=[10.0, 5.0, 2.0])


def test_statistics_and_encoding_equal_scikit_learns() -> None:
    raw = torch.randn(10_001, 5, dtype=torch.float64) * torch.tensor([1e-6, 1.0, 50.0, 1e4, 0.0]) + 7
    scaler = StandardScaler().fit(raw.numpy())
    mean, deviation = statistics(raw)
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(deviation, scaler.scale_, rtol=1e-9)
    ours = FeaturesEncoding.fit(tuple("abcde"), raw).standardise().encode(raw)
    np.testing.assert_allclose(ours.numpy(), scaler.transform(raw.numpy()), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, 1e-9])
def test_a_column_that_does_not_vary_encodes_to_zero(value) -> None:
    raw = torch.full((1000, 1), value, dtype=torch.float64)
    encoded = FeaturesEncoding.fit(("a",), raw).standardise().encode(raw)
    assert encoded.abs().max() < 1e-6


def test_a_large_mean_costs_no_digits() -> None:
    raw = 1.7e9 + torch.arange(100, dtype=torch.float64).view(-1, 1)  # seconds since 1970: float32 steps by 128
    encoded = FeaturesEncoding.fit(("t",), raw).standardise().encode(raw)
    assert encoded.dtype == torch.float32
    assert len(encoded.unique()) == 100
    torch.testing.assert_close(encoded.diff(dim=0), torch.full((99, 1), 1 / 28.866), rtol=1e-4, atol=0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pictures_are_standardised_per_channel_in_either_layout(channels, layout) -> None:
    raw = torch.randint(0, 256, (50, channels, 6, 7), dtype=torch.uint8).contiguous(memory_format=layout)
    encoded = ImageEncoding.fit(raw).standardise().encode(raw)
    wide = raw.double()
    mean, deviation = wide.mean((0, 2, 3), keepdim=True), wide.std((0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(encoded, ((wide - mean) / deviation).float(), rtol=1e-5, atol=1e-6)
    assert encoded.is_contiguous(memory_format=layout)
    assert raw.dtype == torch.uint8


def test_rows_by_name_in_any_order_or_as_a_list() -> None:
    by_name = encoding().encode_rows([{"age": "32", "키 (cm)": 180, "weight": 57.5}])
    by_place = encoding().encode_rows([[180, 57.5, 32.0]])
    for encoded in (by_name, by_place):
        torch.testing.assert_close(encoded.inputs, (torch.tensor([[1.0, -0.5, 1.0]]),))
        assert encoded.notes == []
    assert encoding().encode_rows([]).inputs[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"키 (cm)": 1, "weight": 1}, "row 2: missing: age"),
        ({"키 (cm)": 1, "wieght": 1, "age": 1}, "row 2: no such column: 'wieght'; did you mean 'weight'?"),
        ({"키 (cm)": "tall", "weight": 1, "age": 1}, "row 2, column '키 \\(cm\\)': 'tall' is not a finite number"),
        ({"키 (cm)": float("nan"), "weight": 1, "age": 1}, "row 2, column '키 \\(cm\\)': nan is not"),
        ({"키 (cm)": 1, "weight": True, "age": 1}, "row 2, column 'weight': True is not a finite number"),
        ({"키 (cm)": 1, "weight": None, "age": 1}, "row 2, column 'weight': None is not"),
        ([1, 2], "row 2: 2 numbers where 3 are needed"),
        ("1,2,3", "row 2: expected numbers by name or in order"),
        ({"키 (cm)": 10**400, "weight": 1, "age": 1}, "is not a finite number"),
    ],
)
def test_a_row_that_does_not_fit_is_named(row, message) -> None:
    with pytest.raises(InputError, match=message):
        encoding().encode_rows([[1, 2, 3], row])


def test_plain_data_there_and_back() -> None:
    fields = json.loads(json.dumps(encoding().to_mapping()))
    rebuilt = encoding_from_mapping(fields)
    assert rebuilt == encoding()
    assert isinstance(rebuilt, FeaturesEncoding)


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "os.system"}, "no encoding called 'os.system'"),
        ({"name": "features", "names": ["a"], "mean": [0.0], "deviation": [0.0]}, "above zero"),
        ({"name": "features", "names": ["a"], "mean": [0.0], "deviation": [float("inf")]}, "finite"),
        ({"name": "features", "names": ["a"], "mean": [], "deviation": []}, "1 inputs, but 0 means"),
        ({"name": "features", "names": ["a"], "mean": [0.0], "deviation": [1.0], "run": "x"}, "no such field"),
        ({"name": "image", "channels": 1, "height": 10**9, "width": 1, "mean": [0.0], "deviation": [1.0]}, "height"),
        ({"name": "image", "channels": 3, "height": 8, "width": 8, "mean": [0.0], "deviation": [1.0]}, "each channel"),
        ({"name": "table", "columns": [{"kind": "exec", "name": "a"}], "ignored": []}, "columns"),
        ([], "expected"),
    ],
)
def test_hostile_plain_data_is_refused(fields, message) -> None:
    with pytest.raises(InputError, match=message):
        encoding_from_mapping(fields)


def test_standardise_moves_to_a_device_and_keeps_its_numbers() -> None:
    arithmetic = Standardise(torch.tensor([1.0]).double(), torch.tensor([2.0]).double()).to(torch.device("cpu"))
    assert float(arithmetic.encode(torch.tensor([[5.0]]))) == 2.0


def test_importing_the_table_of_sources_imports_no_torch() -> None:
    import subprocess

    code = "import sys, fourfold.data, fourfold.data.augment; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
