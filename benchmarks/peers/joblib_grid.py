"""digits-mlp by hand in PyTorch, optimizers x seeds, on all cores through joblib.

    python benchmarks/peers/joblib_grid.py SEEDS OPTIMIZER...

The same data, split sizes, network, batches, epochs and validations as the recipe's; prints each optimizer's accuracy.
"""

import os
import statistics
import sys

EPOCHS, BATCH_SIZE = 30, 32


def cell(name: str, seed: int) -> float:
    import torch
    from sklearn.datasets import load_digits
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    digits = load_digits()
    inputs = torch.from_numpy(digits.data).float()
    inputs = (inputs - inputs.mean()) / inputs.std()
    labels = torch.from_numpy(digits.target)
    order = torch.randperm(len(labels))
    test, validation, train = order[:180], order[180:360], order[360:]
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = make(name, model.parameters())

    def accuracy(members: torch.Tensor) -> float:
        with torch.inference_mode():
            return float((model(inputs[members]).argmax(1) == labels[members]).float().mean())

    for _ in range(EPOCHS):
        for chosen in train[torch.randperm(len(train))].split(BATCH_SIZE):
            loss = F.cross_entropy(model(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy(validation)
    return accuracy(test)


def make(name, parameters):
    from torch import optim

    return {
        "sgd": lambda: optim.SGD(parameters, lr=0.01),
        "momentum": lambda: optim.SGD(parameters, lr=0.01, momentum=0.9),
        "nesterov": lambda: optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True),
        "adagrad": lambda: optim.Adagrad(parameters),
        "adadelta": lambda: optim.Adadelta(parameters),
        "rmsprop": lambda: optim.RMSprop(parameters, lr=0.001),
        "adam": lambda: optim.Adam(parameters),
    }[name]()


def main() -> None:
    from joblib import Parallel, delayed

    seeds, names = int(sys.argv[1]), sys.argv[2:]
    jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    scores = Parallel(n_jobs=jobs)(delayed(cell)(name, seed) for name in names for seed in range(seeds))
    for i, name in enumerate(names):
        print(f"{name}: {statistics.fmean(scores[i * seeds : (i + 1) * seeds]):.4f}")


if __name__ == "__main__":
    main()
