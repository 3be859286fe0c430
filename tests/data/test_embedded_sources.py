import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.breast_cancer import NAMES as CANCER_NAMES
from fourfold.data.diabetes import DiabetesConfig
from fourfold.data.embedded import package_file
from fourfold.data.wine import NAMES as WINE_NAMES
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec

LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}
SPLITS = ("train", "validation", "test")


def whole(source) -> tuple[np.ndarray, np.ndarray]:
    """Return raw inputs, flattened, and targets of all splits."""
    raw = torch.cat([source.raw(name, list(range(source.sizes[name]))).flatten(1) for name in SPLITS])
    targets = torch.cat([batch.targets for name in SPLITS for batch in source.split(name, 10_000)])
    return raw.double().numpy(), targets.double().numpy()


def sorted_rows(values: np.ndarray) -> np.ndarray:
    return values[np.lexsort(values.T[::-1])]


@pytest.mark.parametrize("name", LOADERS)
def test_every_example_is_scikit_learns(name) -> None:
    source = DATA.parse(name, "data").build(0, Path("nowhere"))
    theirs = LOADERS[name]()
    raw, targets = whole(source)
    ours = np.column_stack([raw, targets])
    np.testing.assert_array_equal(sorted_rows(ours), sorted_rows(np.column_stack([theirs.data, theirs.target])))
    assert list(source.spec.class_names) == [str(class_name) for class_name in theirs.target_names]
    assert sum(source.spec.class_counts) == source.sizes["train"]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_columns_are_called_as_scikit_learn_calls_them(name) -> None:
    names = DATA.parse(name, "data").build(0, Path("nowhere")).spec.input.names
    assert list(names) == [str(feature) for feature in LOADERS[name]().feature_names]
    assert len(WINE_NAMES) == 13
    assert len(CANCER_NAMES) == 30


@pytest.mark.parametrize(
    ("task", "kind"),
    [("regression", RegressionSpec), ("probabilistic_regression", ProbabilisticRegressionSpec)],
)
def test_diabetes_is_scikit_learns_unscaled_and_its_target_comes_back(task, kind) -> None:
    source = DiabetesConfig(task=task).build(0, Path("nowhere"))
    assert type(source.spec) is kind
    raw, standardised = whole(source)
    targets = standardised * source.spec.target_deviation[0] + source.spec.target_mean[0]
    theirs = datasets.load_diabetes(scaled=False)
    ours = np.column_stack([raw, targets])
    expected = np.column_stack([theirs.data, theirs.target])
    np.testing.assert_allclose(sorted_rows(ours), sorted_rows(expected), atol=1e-4)
    assert list(source.spec.input.names) == theirs.feature_names
    (train,) = source.split("train", 10_000)
    assert train.targets.shape == (310, 1)
    assert train.targets.dtype == torch.float32
    assert abs(float(train.targets.mean())) < 1e-6
    assert float(train.targets.std(correction=0)) == pytest.approx(1, abs=1e-6)


def test_scikit_learn_is_read_and_not_imported(tmp_path) -> None:
    import subprocess

    code = (
        "import sys; from pathlib import Path; from fourfold.data import DATA\n"
        "for name in ('digits', 'iris', 'wine', 'breast_cancer', 'diabetes', 'gates', 'two_moons'):\n"
        "    DATA.parse(name, 'data').build(0, Path('nowhere'))\n"
        "print([m for m in ('sklearn', 'pandas', 'torchvision', 'torch._dynamo', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(InputError, match="the package 'no_such_package' that carries this data is not installed"):
        package_file("no_such_package", "x.csv")
    with pytest.raises(InputError, match="this version of 'sklearn' does not carry the data"):
        package_file("sklearn", "datasets/data/titanic.csv")
