"""timm's training of pictures, with torchvision's network: its loader, optimizer and meters, in its script's loop.

The script, train.py, is not in timm's package; the loop here does what one epoch of it does, in its order. Pictures are
cropped and flipped as in the raw loop, and standardised by the batch, as timm's loader has it.
"""

from functools import partial
from typing import Any, NoReturn

import torch
from gate import Gate
from timm.data import create_loader
from timm.data.transforms import ToNumpy
from timm.optim import create_optimizer_v2
from timm.utils import AverageMeter, accuracy
from torch import nn
from torchvision import transforms as T
from workloads import BATCH_SIZE, LEARNING_RATE, Workload, coloured

from peers.vision_torch import DEVIATION, MEAN, PerSample, network


def fit(workload: Workload, gate: Gate) -> NoReturn:
    """The script's defaults but for no worker processes, which would share the cores with the loop."""
    model, loss_of = network(workload), nn.CrossEntropyLoss()
    optimizer = create_optimizer_v2(model, opt="momentum", lr=LEARNING_RATE, momentum=0.0)
    train, validation = _loaders(workload)
    while True:
        model.train()
        losses = AverageMeter()
        optimizer.zero_grad()
        for x, y in train:
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            losses.update(loss.item(), x.size(0))
            optimizer.zero_grad()
        model.eval()
        losses, top1 = AverageMeter(), AverageMeter()
        with torch.inference_mode():
            for x, y in validation:
                output = model(x)
                losses.update(loss_of(output, y).item(), x.size(0))
                top1.update(accuracy(output, y, topk=(1,))[0].item(), x.size(0))
        gate(losses.avg)


def _loaders(workload: Workload) -> tuple[Any, Any]:
    drawn, size = coloured(workload), (3, workload.side, workload.side)
    crop = T.RandomCrop(32, padding=4) if workload.side == 32 else T.RandomResizedCrop(workload.side)
    train = PerSample(drawn.train, drawn.train_labels, ToNumpy())
    validation = PerSample(drawn.validation, drawn.validation_labels, ToNumpy())
    made = partial(
        create_loader,
        input_size=size,
        batch_size=BATCH_SIZE,
        mean=MEAN,
        std=DEVIATION,
        num_workers=0,
        device=torch.device("cpu"),
    )
    loaders = made(train, is_training=True), made(validation)
    train.transform = T.Compose([crop, T.RandomHorizontalFlip(), ToNumpy()])  # the loader has put its own there
    validation.transform = ToNumpy()
    return loaders
