"""Early stopping ends where a person would have, with the weights of the best validation."""

import json

import pytest
import torch

from fourfold.core.errors import InputError

NAN = float("nan")


def end_of(own, values: list[float], name: str = "rmse") -> int | None:
    """Return at which validation, from 1, it asks to stop."""
    for i, value in enumerate(values, start=1):
        if own.validated(10 * i, {"loss": 0.0, name: value}):
            return i
    return None


@pytest.mark.parametrize(
    ("fields", "values", "stops_at", "best_step"),
    [
        ({"patience": 1}, [3, 2, 1], None, 30),
        ({"patience": 1}, [3, 2, 2], 3, 20),
        ({"patience": 2}, [3, 4, 2, 3, 3], 5, 30),
        ({"patience": 3}, [3, 4, 4, 4], 4, 10),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.9, 2.8], 3, 30),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.9, 2.4, 2.3, 2.2], 5, 50),
        ({"patience": 2, "higher_is_better": True}, [1, 2, 1, 1.5], 4, 20),
        ({"patience": 1, "higher_is_better": True}, [1, 1], 2, 10),
        ({"patience": 2}, [NAN, 3, NAN, NAN], 4, 20),
        ({"patience": 2}, [NAN, NAN], 2, None),
        ({"patience": 1}, [3, float("inf")], 2, 10),
    ],
)
def test_traces_by_hand(toy, fields, values, stops_at, best_step) -> None:
    net = toy.net()
    own = toy.regularizer({"name": "early_stopping", "metric": "rmse", "higher_is_better": False, **fields}, net)
    kept = {}
    for i, value in enumerate(values, start=1):
        with torch.no_grad():
            net[0].bias.fill_(i)
            net[2].running_mean.fill_(i)
        kept[10 * i] = {k: v.clone() for k, v in net.state_dict().items()}
        if reason := own.validated(10 * i, {"rmse": value}):
            assert i == stops_at
            assert "validation rmse did not improve" in reason
            break
    else:
        assert stops_at is None
    finding = own.finish()
    assert finding is not None
    if best_step is None:
        assert "never a number" in finding
        return
    torch.testing.assert_close(dict(net.state_dict()), kept[best_step], rtol=0, atol=0)
    assert ("the last validation was the best" in finding) == (best_step == 10 * i)
    assert f"after step {best_step}," in finding or best_step == 10 * i
    assert own.kept_step() == (None if best_step == 10 * i else best_step)


def test_watches_the_headline_by_default(toy) -> None:
    own = toy.regularizer({"name": "early_stopping", "patience": 1})
    assert (own.metric, own.higher_is_better) == (toy.spec().headline, toy.spec().higher_is_better)
    loss = toy.regularizer({"name": "early_stopping", "metric": "loss"})
    assert loss.higher_is_better is False


def test_direction_must_be_known(toy) -> None:
    with pytest.raises(InputError, match="higher_is_better: say whether more 'median' is better"):
        toy.regularizer({"name": "early_stopping", "metric": "median"})


def test_metric_must_exist(toy) -> None:
    own = toy.regularizer({"name": "early_stopping", "metric": "los", "higher_is_better": False})
    with pytest.raises(InputError, match="did you mean 'loss'"):
        own.validated(1, {"loss": 1.0, "r2": 0.5})
    with pytest.raises(InputError, match="no validation split"):
        own.validated(1, {})


def continued(own, again) -> None:
    """Send a state through JSON, all but the tensors, as a checkpoint does."""
    state = own.state_dict()
    weights = state.pop("best_weights")
    again.load_state_dict({**json.loads(json.dumps(state)), "best_weights": weights})


@pytest.mark.parametrize(
    ("min_delta", "values"),
    # with a least improvement, the best and the bar part at the second validation and meet at the third
    [(0.0, [3.0, 2.0, 2.5, 1.9, 2.1, 2.2]), (0.5, [3.0, 2.75, 2.375, 2.25, 1.75, 1.5, 1.375])],
)
@pytest.mark.parametrize("stop", range(6))
def test_state_survives_json_at_any_validation(toy, stop, min_delta, values) -> None:
    config = {"name": "early_stopping", "metric": "rmse", "higher_is_better": False, "patience": 2}
    config["min_delta"] = min_delta
    first, second = toy.regularizer(config), toy.regularizer(config)
    assert end_of(first, values[:stop]) is None
    continued(first, second)
    for i, value in enumerate(values[stop:], start=stop + 1):
        reasons = [own.validated(10 * i, {"rmse": value}) for own in (first, second)]
        assert reasons[0] == reasons[1]
        assert bool(reasons[0]) == (i == len(values))
    assert first.finish() == second.finish()
    torch.testing.assert_close(dict(first.model.state_dict()), dict(second.model.state_dict()), rtol=0, atol=0)


@pytest.mark.parametrize("values", [[3.0, 2.0], [2.0, 3.0]])
def test_what_it_says_at_the_end_does_not_depend_on_a_stop_before(toy, values) -> None:
    config = {"name": "early_stopping", "metric": "rmse", "higher_is_better": False, "patience": 2}
    first, second = toy.regularizer(config), toy.regularizer(config)
    assert end_of(first, values) is None
    continued(first, second)
    assert first.finish() == second.finish()


def test_keeps_the_average_where_that_is_evaluated(toy) -> None:
    own = toy.training(["early_stopping", {"name": "ema", "decay": 0.5}], {"name": "sgd", "lr": 0.1})
    headline = toy.spec().headline
    best, worst = (1.0, 0.0) if toy.spec().higher_is_better else (0.0, 1.0)
    for _ in range(3):
        own.step()
    own.validated(3, {headline: best})
    expected = {k: v.clone() for k, v in own.model.state_dict().items()}
    for _ in range(3):
        own.step()
    own.validated(6, {headline: worst})
    assert not torch.equal(own.model[0].weight, expected["0.weight"])
    assert "after step 3" in own.finish()[0]
    torch.testing.assert_close(dict(own.model.state_dict()), expected, rtol=0, atol=0)
