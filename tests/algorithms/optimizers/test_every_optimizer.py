"""What all optimizers share: groups, state, refusal, and how little they import."""

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers import LARS, SGD, Adadelta, Adagrad, Adam, Momentum, Nesterov, RMSprop
from fourfold.algorithms.optimizers import OPTIMIZERS as TABLE
from fourfold.algorithms.optimizers.base import OptimizerConfig
from fourfold.core.errors import InputError

OPTIMIZERS = [SGD, Momentum, Nesterov, Adagrad, Adadelta, RMSprop, Adam, LARS]
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda cls: cls.__name__)


def through_json(value: Any, tensors: dict[str, Tensor], key: str = "") -> Any:
    """Send everything but tensors through JSON, as a checkpoint does."""
    if isinstance(value, Tensor):
        tensors[key] = value.clone()
        return {"$": key}
    if isinstance(value, dict):
        assert all(isinstance(k, str) for k in value)
        return {k: through_json(v, tensors, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [through_json(v, tensors, f"{key}.{i}") for i, v in enumerate(value)]
    return json.loads(json.dumps(value))


def back(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        return tensors[value["$"]] if "$" in value else {k: back(v, tensors) for k, v in value.items()}
    return [back(v, tensors) for v in value] if isinstance(value, list) else value


@pytest.mark.promise("R1")
@each_optimizer
@pytest.mark.parametrize("stop", [0, 1, 7])
def test_stop_and_resume_is_bit_exact(problem, optimizer, stop) -> None:
    def has_grad(step: int, i: int) -> bool:
        return i != 1 or step > 4  # one parameter joins later, and has a step count of its own

    def make(p: Any) -> Any:
        return optimizer([{"params": p.params[:2]}, {"params": p.params[2:], "lr": 0.02}], lr=0.01)

    whole, first, second = problem(torch.float32), problem(torch.float32), problem(torch.float32)
    expected = whole.run(make(whole), range(15), has_grad=has_grad)
    a = make(first)
    first.run(a, range(stop), has_grad=has_grad)
    tensors: dict[str, Tensor] = {}
    plain = through_json(a.state_dict(), tensors)
    b = make(second)
    for group in b.param_groups:
        group["lr"] = 5.0
    second.run(b, range(2))  # what was there before must not matter
    b.load_state_dict(back(plain, tensors))
    for x, y in zip(second.params, first.params, strict=True):
        x.data.copy_(y.data)
    torch.testing.assert_close(second.run(b, range(stop, 15), has_grad=has_grad), expected, rtol=0, atol=0)
    torch.testing.assert_close(first.run(a, range(stop, 15), has_grad=has_grad), expected, rtol=0, atol=0)


@each_optimizer
def test_resume_keeps_the_memory_layout(optimizer) -> None:
    """Checkpoints store tensors in plain order; a channels-last parameter needs its state in its own order."""
    traces = []
    for reload in (False, True):
        draw = torch.Generator().manual_seed(0)
        param = nn.Parameter(torch.randn(4, 3, 2, 2, generator=draw).to(memory_format=torch.channels_last))
        own = optimizer([param], lr=0.01)
        for step in range(6):
            param.grad = torch.randn(4, 3, 2, 2, generator=draw).to(memory_format=torch.channels_last)
            own.step()
            if reload and step == 2:
                state = own.state_dict()
                state["state"] = [
                    {k: v.contiguous() if isinstance(v, Tensor) else v for k, v in state["state"][0].items()}
                ]
                own = optimizer([param], lr=0.01)
                own.load_state_dict(state)
        traces.append(param.detach().clone())
    torch.testing.assert_close(traces[0], traces[1], rtol=0, atol=0)


@each_optimizer
def test_loading_copies(problem, optimizer) -> None:
    a, b = problem(), problem()
    first, second = optimizer(a.params, lr=0.01), optimizer(b.params, lr=0.01)
    a.run(first, range(3))
    state = first.state_dict()
    kept = copy.deepcopy(state)
    second.load_state_dict(state)
    b.run(second, range(3))
    torch.testing.assert_close(first.state_dict()["state"], kept["state"], rtol=0, atol=0)


@each_optimizer
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_found_inf_moves_nothing(problem, monkeypatch, optimizer, fast) -> None:
    if not fast:
        monkeypatch.setattr(optimizer, "fast_devices", ())
    a, b = problem(torch.float32), problem(torch.float32)
    tried, spared = optimizer(a.params, lr=0.01), optimizer(b.params, lr=0.01)
    for step in range(12):
        a.set_grads(step)
        if step in (0, 4, 5):
            before = [p.detach().clone() for p in a.params]
            for p in a.params:
                p.grad = torch.full_like(p, float("inf") if step == 4 else 2.0)
            tried.step(found_inf=torch.ones(1))
            torch.testing.assert_close([p.detach() for p in a.params], before, rtol=0, atol=0)
        else:
            tried.step(found_inf=torch.zeros(1))
            b.run(spared, [step])
    torch.testing.assert_close([p.detach() for p in a.params], [p.detach() for p in b.params], rtol=0, atol=0)
    torch.testing.assert_close(tried.state_dict(), spared.state_dict(), rtol=0, atol=0)
    assert all(entry.get("step", 9) == 9 for entry in tried.state_dict()["state"])


@each_optimizer
def test_trains_in_a_plain_loop(optimizer) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.randn(64, 2)
    y = x[:, :1] * 2 - x[:, 1:]
    lr = {"Adadelta": 1.0, "SGD": 0.1, "Momentum": 0.02, "Nesterov": 0.02, "Adagrad": 0.1}.get(optimizer.__name__, 0.01)
    own = optimizer(net.parameters(), lr=lr, **({"trust": 0.5} if optimizer is LARS else {}))
    losses = []
    for _ in range(400):
        own.zero_grad()
        loss = (net(x) - y).square().mean()
        loss.backward()
        own.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@each_optimizer
def test_step_leaves_no_graph(problem, optimizer) -> None:
    a = problem()
    a.set_grads(0)
    with torch.enable_grad():
        optimizer(a.params).step()
    assert all(p.is_leaf and p.requires_grad and p.grad_fn is None for p in a.params)


def test_zero_grad(problem) -> None:
    a = problem()
    own = SGD(a.params)
    a.set_grads(0)
    own.zero_grad(set_to_none=False)
    assert all(float(p.grad.abs().sum()) == 0 for p in a.params)
    own.zero_grad()
    assert all(p.grad is None for p in a.params)


def test_groups_that_grow_are_noticed(problem) -> None:
    a, b = problem(), problem()
    own, listed = SGD(a.params[:1], lr=0.1), SGD(b.params, lr=0.1)
    a.run(own, [0])
    own.param_groups[0]["params"].append(a.params[1])
    own.add_param_group({"params": a.params[2], "lr": 0.1})
    own.add_param_group({"params": [a.params[3]]})
    before = [p.detach().clone() for p in a.params]
    a.run(own, [1])
    assert all(not torch.equal(p, q) for p, q in zip(a.params, before, strict=True))
    assert [len(g["params"]) for g in own.param_groups] == [2, 1, 1]
    assert listed.param_groups[0]["lr"] == 0.1


BAD = [
    (SGD, {"lr": -1e-3}),
    (SGD, {"lr": float("nan")}),
    (SGD, {"lr": float("inf")}),
    (SGD, {"lr": True}),
    (SGD, {"lr": torch.tensor(0.1)}),
    (Momentum, {"momentum": -0.1}),
    (Nesterov, {"momentum": 0.0}),
    (Adagrad, {"lr_decay": -1.0}),
    (Adagrad, {"initial_accumulator_value": -1.0}),
    (Adagrad, {"eps": -1e-9}),
    (Adadelta, {"rho": 1.1}),
    (Adadelta, {"eps": 0.0}),
    (RMSprop, {"alpha": 1.0}),
    (RMSprop, {"eps": -1.0}),
    (Adam, {"betas": (1.0, 0.999)}),
    (Adam, {"betas": (0.9, -0.1)}),
    (Adam, {"betas": 0.9}),
    (Adam, {"eps": -1.0}),
    (LARS, {"momentum": 1.5}),
    (LARS, {"trust": 0.0}),
]


@pytest.mark.parametrize(("optimizer", "own"), BAD, ids=[f"{cls.__name__}-{own}" for cls, own in BAD])
def test_hyperparameters_out_of_range(problem, optimizer, own) -> None:
    a = problem()
    name = "beta" if "betas" in own else next(iter(own))
    with pytest.raises(ValueError, match=name):
        optimizer(a.params, **own)
    with pytest.raises(ValueError, match=name):
        optimizer([{"params": a.params, **own}])


def test_params_that_cannot_be_optimised() -> None:
    p = nn.Parameter(torch.ones(2))
    for params, error, words in [
        ([], ValueError, "empty"),
        (p, TypeError, "one tensor"),
        ([p, p], ValueError, "twice"),
        ([{"params": [p]}, {"params": [p]}], ValueError, "twice"),
        ([p * 2], ValueError, "computed from others"),
        ([torch.ones(2, dtype=torch.complex64)], ValueError, "real numbers"),
        (["weight"], TypeError, "expected tensors"),
        ([{"params": [p], "lrr": 0.1}], ValueError, "did you mean 'lr'"),
        ([{"params": [p], "weight_decay": 0.1}], ValueError, "no 'weight_decay'"),
    ]:
        with pytest.raises(error, match=words):
            SGD(params)


def test_sparse_gradients_are_refused() -> None:
    table = nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(RuntimeError, match="dense gradients"):
        Adam(table.parameters()).step()


def broken(state: dict[str, Any], how: str) -> Any:
    state = copy.deepcopy(state)
    if how == "not a mapping":
        return [1]
    if how == "no groups":
        return {"state": state["state"]}
    if how == "another size":
        state["param_groups"][0]["params"].pop()
    if how == "fewer states":
        state["state"].pop()
    if how == "a hyperparameter missing":
        del state["param_groups"][0]["lr"]
    if how == "a hyperparameter out of range":
        state["param_groups"][0]["lr"] = -1.0
    if how == "another optimizer":
        state["state"][0] = {"velocity": torch.zeros(5, 3)}
    if how == "another shape":
        state["state"][-1]["first_moment"] = torch.zeros(7)
    if how == "a number for a tensor":
        state["state"][-1]["first_moment"] = 3.0
    if how == "a fraction of a step":
        state["state"][-1]["step"] = 1.5
    return state


@pytest.mark.parametrize(
    "how",
    [
        "not a mapping",
        "no groups",
        "another size",
        "fewer states",
        "a hyperparameter missing",
        "a hyperparameter out of range",
        "another optimizer",
        "another shape",
        "a number for a tensor",
        "a fraction of a step",
    ],
)
def test_state_that_does_not_fit_changes_nothing(problem, how) -> None:
    a, b = problem(), problem()
    own, twin = Adam(a.params, lr=0.01), Adam(b.params, lr=0.01)
    a.run(own, range(2)), b.run(twin, range(2))
    with pytest.raises(ValueError, match=r"state|step|lr|first_moment"):
        own.load_state_dict(broken(own.state_dict(), how))
    torch.testing.assert_close(a.run(own, range(2, 4)), b.run(twin, range(2, 4)), rtol=0, atol=0)


def test_no_optimizer_of_torch_is_built() -> None:
    """Constructing a torch.optim.Optimizer imports torch._dynamo, which takes seconds."""
    code = """
import sys, torch
from fourfold.algorithms import optimizers
p = torch.nn.Parameter(torch.ones(3))
for name in ["SGD", "Momentum", "Nesterov", "Adagrad", "Adadelta", "RMSprop", "Adam", "LARS"]:
    cls = getattr(optimizers, name)
    assert not issubclass(cls, torch.optim.Optimizer)
    p.grad = torch.ones(3)
    cls([p], lr=0.1).step()
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_listing_the_table_imports_no_torch() -> None:
    code = "import sys; from fourfold.algorithms.optimizers import OPTIMIZERS; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", list(TABLE))
def test_configs_build_what_they_name(problem, name) -> None:
    usual = {k: v for k, v in TABLE.parse(name, "").to_mapping().items() if k != "name"}
    numbers = {k: v for k, v in usual.items() if not isinstance(v, bool)}
    other: dict[str, float] = {k: v / 2 or 1 / (7 + i) for i, (k, v) in enumerate(numbers.items())}  # no two alike
    other |= {k: not v for k, v in usual.items() if k not in numbers}  # nothing left as it was
    assert len(set(other.values())) == len(other)
    config = TABLE.parse({"name": name, **other}, "algorithm.optimizer")
    assert isinstance(config, OptimizerConfig)
    own = config.build(problem().params)
    assert type(own).__name__.lower() == name
    built = own.param_groups[0]
    found = {**built, **dict(zip(("beta1", "beta2"), built.get("betas", ()), strict=False))}
    assert {k: found[k] for k in other} == other


@pytest.mark.parametrize("name", list(TABLE))
def test_config_and_class_agree_on_defaults(problem, name) -> None:
    built = TABLE.parse(name, "").build(problem().params)
    assert type(built)(problem().params)._defaults == built._defaults


def test_config_refuses_a_negative_rate() -> None:
    with pytest.raises(InputError, match=r"algorithm\.optimizer\.lr"):
        TABLE.parse({"name": "adam", "lr": -1}, "algorithm.optimizer")
