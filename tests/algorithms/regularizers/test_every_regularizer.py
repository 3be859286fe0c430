"""What all regularizers share: configs, explanations, and a run that resumes exactly."""

import json
from typing import Any

import pytest
import torch

from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.regularizers.base import Regularizer
from fourfold.core.errors import InputError

EVERY = list(REGULARIZERS)
SOON = {"swa": {"start": 5, "every": 2}}  # within the few steps here
HOOKS = {"on_batch", "before_forward", "after_backward", "on_gradients", "before_update", "after_update", "validated"}


def run(training, steps: range) -> None:
    for step in steps:
        training.step()
        if step % 5 == 4:
            training.validated(step + 1, {"rmse": float(step), "accuracy": -float(step)})  # the first is the best


def make(toy, regularizers: list[dict[str, Any]], *settings: Any) -> Any:
    """Return training on pictures in classes where a regularizer needs that."""
    pictures = any(each["name"] in ("mixup", "cutmix", "cutout") for each in regularizers)
    return (toy.pictures if pictures else toy.training)(regularizers, *settings)


@pytest.mark.promise("R1")
@pytest.mark.parametrize("names", [*[[name] for name in EVERY], EVERY], ids=lambda names: "+".join(names))
@pytest.mark.parametrize("stop", [1, 7])
def test_stop_and_resume_is_bit_exact(toy, names, stop) -> None:
    configs = [{"name": name, **SOON.get(name, {})} for name in names]
    whole, first, second = (make(toy, configs, {"name": "adam", "lr": 0.01}, "cosine") for _ in range(3))
    run(whole, range(13))
    run(first, range(stop))
    weights = {k: v.clone() for k, v in first.model.state_dict().items()}
    run(second, range(3))  # what was there before must not matter
    second.model.load_state_dict(weights)
    second.load_state_dict(first.state_dict())
    run(second, range(stop, 13))
    for end in (whole, second):
        end.finish()
    torch.testing.assert_close(dict(second.model.state_dict()), dict(whole.model.state_dict()), rtol=0, atol=0)
    torch.testing.assert_close(dict(second.network.state_dict()), dict(whole.network.state_dict()), rtol=0, atol=0)


@pytest.mark.parametrize("name", EVERY)
def test_changes_the_run_and_says_where(toy, name) -> None:
    """A regularizer whose hook is never called would leave the run as it was."""
    strong = {
        "weight_decay": {"rate": 0.5},
        "l1": {"rate": 0.5},
        "gradient_clipping": {"max_norm": 1e-3},
        "gradient_value_clipping": {"max_value": 1e-3},
        "swa": {"start": 1, "every": 1},
    }
    own = make(toy, [{"name": name, **strong.get(name, {})}], {"name": "sgd", "lr": 0.1})
    on_pictures = own.network[0].__class__.__name__ == "Flatten"
    plain = (toy.pictures if on_pictures else toy.training)([], {"name": "sgd", "lr": 0.1})
    for _ in range(3):
        plain.step(), own.step()
    if name != "early_stopping":
        assert not torch.equal(plain.model[-1].weight, own.model[-1].weight)
    regularizer = own.regularizers[0]
    told = regularizer.explain()
    overridden = {hook for hook in HOOKS if getattr(type(regularizer), hook) is not getattr(Regularizer, hook)}
    assert {hook for hook, _ in told} == overridden
    assert all(text and "\n" not in text for _, text in told)


@pytest.mark.parametrize("name", EVERY)
def test_config_survives_json(name) -> None:
    config = REGULARIZERS.parse(name, "algorithm.regularizers.0")
    again = REGULARIZERS.parse(json.loads(json.dumps(config.to_mapping())), "algorithm.regularizers.0")
    assert again == config
    assert config.name == name


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "weight_decay", "rate": -1e-4}, "rate"),
        ({"name": "l1", "rate": -1e-4}, "rate"),
        ({"name": "decoupled_weight_decay", "rte": 0.1}, "did you mean 'rate'"),
        ({"name": "gradient_clipping", "max_norm": 0.0}, "max_norm"),
        ({"name": "gradient_value_clipping", "max_value": -1.0}, "max_value"),
        ({"name": "input_noise", "deviation": -0.1}, "deviation"),
        ({"name": "ema", "decay": 1.1}, "decay"),
        ({"name": "swa", "start": 0.0}, "start"),
        ({"name": "swa", "every": 0}, "every"),
        ({"name": "mixup", "alpha": 0.0}, "alpha"),
        ({"name": "cutmix", "probability": 1.5}, "probability"),
        ({"name": "cutout", "size": 8}, "no such field"),
        ({"name": "cutot"}, "did you mean 'cutout'"),
        ({"name": "early_stopping", "patience": 0}, "patience"),
        ({"name": "weight_decy"}, "did you mean 'weight_decay'"),
    ],
)
def test_what_makes_no_sense_is_refused(config, words) -> None:
    with pytest.raises(InputError, match=words):
        REGULARIZERS.parse(config, "algorithm.regularizers.0")
