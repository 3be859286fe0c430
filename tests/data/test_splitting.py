import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.data.iris import IrisConfig
from fourfold.data.splitting import divide, subset


def assert_partition(splits, num_examples) -> None:
    everything = torch.cat(list(splits.values()))
    assert everything.sort().values.tolist() == list(range(num_examples))
    assert all(torch.equal(part, part.sort().values) for part in splits.values())  # in the order of the file


@given(st.integers(10, 300), st.integers(0, 2**31), st.integers(1, 5), st.data())
@settings(max_examples=60, deadline=None)
def test_splits_are_disjoint_complete_and_as_large_as_asked(num_examples, seed, num_classes, data) -> None:
    num_test = data.draw(st.integers(0, num_examples // 3))
    num_validation = data.draw(st.integers(0, num_examples // 3))
    labels = torch.randint(0, num_classes, (num_examples,), generator=torch.Generator().manual_seed(seed))
    splits = divide(num_examples, seed, num_validation=num_validation, num_test=num_test, labels=labels)
    assert_partition(splits, num_examples)
    assert len(splits["test"]) == num_test
    assert len(splits["validation"]) == num_validation


@pytest.mark.parametrize("seed", range(5))
def test_every_split_holds_each_class_in_proportion(seed) -> None:
    labels = torch.tensor([0] * 600 + [1] * 300 + [2] * 100)
    splits = divide(1000, seed, num_validation=150, num_test=150, labels=labels)
    for name, size in (("train", 700), ("validation", 150), ("test", 150)):
        counts = torch.bincount(labels[splits[name]], minlength=3)
        for k, share in enumerate((0.6, 0.3, 0.1)):
            assert abs(counts[k] - share * size) <= 2, (name, k)


@pytest.mark.promise("R12")
def test_same_seed_same_splits_and_another_seed_others() -> None:
    def members(seed: int) -> list[list[int]]:
        return [part.tolist() for part in divide(200, seed, num_validation=30, num_test=30).values()]

    assert members(3) == members(3)
    assert members(3) != members(4)


@pytest.mark.parametrize("groups", [None, torch.arange(103) // 2])
def test_folds_validate_each_example_exactly_once_and_never_touch_the_test_split(groups) -> None:
    labels = (torch.arange(103) // 2) % 3
    arguments = {"num_validation": 0, "num_test": 13, "folds": 5, "labels": labels, "groups": groups}
    folds = [divide(103, 1, fold=fold, **arguments) for fold in range(5)]
    for splits in folds:
        assert_partition(splits, 103)
        assert splits["test"].tolist() == folds[0]["test"].tolist()
        assert 15 <= len(splits["validation"]) <= 21
    validated = torch.cat([splits["validation"] for splits in folds])
    assert torch.cat([validated, folds[0]["test"]]).sort().values.tolist() == list(range(103))


def test_folds_are_stratified() -> None:
    labels = torch.tensor([0] * 80 + [1] * 20)
    for fold in range(5):
        validation = divide(100, 0, num_validation=0, folds=5, fold=fold, labels=labels)["validation"]
        assert torch.bincount(labels[validation]).tolist() in ([16, 4], [15, 5], [17, 3])


@given(st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_a_group_is_never_parted(seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    groups = torch.randint(0, 60, (200,), generator=generator)
    groups = groups.unique(return_inverse=True)[1]
    splits = divide(200, seed, num_validation=40, num_test=40, labels=groups % 3, groups=groups)
    assert_partition(splits, 200)
    seen = [set(groups[members].tolist()) for members in splits.values()]
    assert sum(map(len, seen)) == len(set().union(*seen))
    assert abs(len(splits["test"]) - 40) <= 6


@given(st.integers(0, 1000), st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_a_group_is_never_parted_by_a_fold_and_validates_once(seed, num_folds) -> None:
    groups = torch.randint(0, 60, (200,), generator=torch.Generator().manual_seed(seed))
    groups = groups.unique(return_inverse=True)[1]
    arguments = {"num_validation": 0, "num_test": 40, "folds": num_folds, "labels": groups % 3, "groups": groups}
    folds = [divide(200, seed, fold=fold, **arguments) for fold in range(num_folds)]
    validated: list[int] = []
    for splits in folds:
        assert_partition(splits, 200)
        seen = [set(groups[members].tolist()) for members in splits.values()]
        assert sum(map(len, seen)) == len(set().union(*seen))
        validated += splits["validation"].tolist()
    assert sorted([*validated, *folds[0]["test"].tolist()]) == list(range(200))


def test_groups_of_one_are_the_same_as_no_groups() -> None:
    plain = divide(50, 9, num_validation=7, num_test=11)
    grouped = divide(50, 9, num_validation=7, num_test=11, groups=torch.arange(50))
    assert {name: part.tolist() for name, part in plain.items()} == {n: p.tolist() for n, p in grouped.items()}


def test_a_smaller_subset_is_inside_a_larger_one() -> None:
    members = torch.arange(100, 200)
    small, large = subset(members, 10, 0), subset(members, 50, 0)
    assert len(small) == 10
    assert set(small.tolist()) < set(large.tolist()) < set(members.tolist())
    assert len({tuple(subset(members, 50, seed).tolist()) for seed in range(5)}) == 5  # drawn, and not the first
    assert subset(members, None, 0).tolist() == subset(members, 100, 0).tolist() == members.tolist()


def test_no_training_example_left() -> None:
    with pytest.raises(InputError, match="4 examples leave none for training"):
        divide(4, 0, num_validation=2, num_test=2)


def test_more_folds_than_examples() -> None:
    with pytest.raises(InputError, match=r"data.folds: 11 folds of 10 examples"):
        divide(10, 0, num_validation=0, folds=11)


def test_shares_that_leave_nothing_and_folds_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="leave no training examples"):
        IrisConfig(validation=0.5, test=0.5)
    with pytest.raises(ValueError, match="5 is not one of"):
        IrisConfig(folds=5, fold=5)
    with pytest.raises(ValueError, match="0 is not one of"):
        IrisConfig(fold=0)


def test_the_split_follows_the_runs_seed_only_when_asked(tmp_path) -> None:
    def validation(config: IrisConfig, seed: int) -> list[float]:
        return config.build(seed, tmp_path).raw("validation", list(range(22))).flatten().tolist()

    assert validation(IrisConfig(), 0) == validation(IrisConfig(), 1)
    assert validation(IrisConfig(split_seed=None), 0) != validation(IrisConfig(split_seed=None), 1)


def test_each_share_and_each_fold_of_a_recipe_is_its_own(tmp_path) -> None:
    source = IrisConfig(validation=0.1, test=0.3).build(0, tmp_path)
    assert source.sizes == {"train": 90, "validation": 15, "test": 45}
    assert all(abs(count - 30) <= 1 for count in source.spec.class_counts)  # of three classes of 50
    folds = [IrisConfig(folds=3, fold=fold).splits(150, None, 0) for fold in range(3)]
    together = torch.cat([folds[0]["test"], *(splits["validation"] for splits in folds)])
    assert together.sort().values.tolist() == list(range(150))
