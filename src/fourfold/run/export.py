"""Taking a trained model elsewhere: safetensors (weights) or ONNX (the whole network), checked before it is written.

The exported file must give what the model gives, on real examples and on random ones, or nothing is written. A network
takes encoded inputs, pixels standardised, say; an ONNX file carries how they are made, and what its outputs are, in its
metadata.
"""

import contextlib
import io
import json
import warnings
from inspect import signature
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.core.errors import FourfoldError, InputError, did_you_mean
from fourfold.core.extras import to_install
from fourfold.core.quiet import quiet
from fourfold.records.atomic import write_atomically
from fourfold.records.location import check_folder_of
from fourfold.records.strict_json import read_mapping
from fourfold.run.build import build_network
from fourfold.run.run import Run
from fourfold.tasks.synthesis import SynthesisSpec

FORMATS = ("safetensors", "onnx")
TOLD = "fourfold.inputs"  # the key of an ONNX file's metadata
RELATIVE, ABSOLUTE = 1e-4, 1e-5  # float32 sums in another order; a wrong weight or layout is off by far more


class ExportReport(NamedTuple):
    """What was written, and how well it agrees."""

    path: Path
    format: str
    examples: int  # compared
    max_difference: float  # largest absolute difference of any output


class ExportError(FourfoldError):
    """The exported model does not agree with the trained one; nothing was written."""


def export(run: Run, to: Path | None = None, format: str | None = None) -> ExportReport:
    """Write the trained model and return how well the file agrees with it.

    Args:
        run: a run with weights.
        to: the file; its ending decides the format. Default `model.<format>` in the run's folder.
        format: "safetensors" or "onnx", where `to` does not say it.

    Raises:
        InputError: unknown format, or one that the file's ending contradicts; the folder cannot be written; a package
            for ONNX is missing.
        ExportError: outputs differ; nothing was written.
    """
    kind = format if format is not None else to.suffix.removeprefix(".") if to else "safetensors"
    if kind not in FORMATS:
        raise InputError(f"cannot export to '{kind}'{did_you_mean(kind, FORMATS)}")
    if kind == "onnx" and isinstance(run.spec, SynthesisSpec):
        raise InputError("--format: two players draw random numbers, which ONNX has no place for; use safetensors")
    path = to or run.folder.path / f"model.{kind}"
    ending = path.suffix.removeprefix(".")
    if ending in FORMATS and ending != kind:
        raise InputError(f"{path}: the name says {ending}, the format {kind}; give one of the two")
    check_folder_of(path)
    examples = _examples(run)
    data, outputs = (_safetensors if kind == "safetensors" else _onnx)(run, examples)
    with torch.inference_mode():
        expected = [_tensors(run.model(*inputs)) for inputs in examples]
    difference = max(starmap(_compare, zip(expected, outputs, strict=True)))
    try:
        write_atomically(path, data)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return ExportReport(path, kind, sum(len(inputs[0]) for inputs in examples), difference)


def _examples(run: Run) -> list[tuple[Tensor, ...]]:
    """Return real inputs of the test split and made-up ones, in batches of several sizes.

    Numbers are drawn; token numbers mean something to each other, so they are the spec's own example.
    """
    source = run.parts.source
    split = next(name for name in ("test", "validation", "train") if source.sizes.get(name))
    real = next(iter(source.split(split, 64))).inputs
    single = tuple(part[:1] for part in real)
    if not all(part.is_floating_point() for part in real):
        return [real, run.spec.example(), single]
    generator = torch.Generator().manual_seed(0)
    random = tuple(torch.randn(7, *part.shape[1:], generator=generator).to(part.dtype) for part in real)
    return [real, random, single]


def _tensors(output: Any) -> list[Tensor]:
    """Return the numbers of an output, which may be several tensors and some that are not there."""
    parts = output if isinstance(output, tuple) else (output,)
    return [part for part in parts if part is not None and part.is_floating_point()]


def _safetensors(run: Run, examples: list[tuple[Tensor, ...]]) -> tuple[bytes, list[list[Tensor]]]:
    """Return the file and what a fresh model that loads it gives."""
    from safetensors.torch import load, save

    data = save({name: value.contiguous().clone() for name, value in run.model.state_dict().items()})
    fresh = build_network(run.recipe, run.spec)
    fresh.load_state_dict(load(data))
    fresh.eval()
    with torch.inference_mode():
        return data, [_tensors(fresh(*inputs)) for inputs in examples]


def _onnx(run: Run, examples: list[tuple[Tensor, ...]]) -> tuple[bytes, list[list[Tensor]]]:
    """Return the file and what onnxruntime gives; the batch size stays free."""
    if not all(part.is_floating_point() for part in examples[0]):
        raise InputError(
            "export: onnx is for models of numbers and pictures; of a model of texts export the weights, "
            "--format safetensors"
        )
    try:
        import onnxruntime
    except ImportError:
        raise InputError(f"ONNX needs more packages: {to_install('onnx')}") from None
    batch = torch.export.Dim("batch", min=1)
    shapes = tuple({0: batch} for _ in examples[0])
    takes_any = any(each.kind is each.VAR_POSITIONAL for each in signature(run.model.forward).parameters.values())
    names = [f"input{i}" if i else "input" for i in range(len(examples[0]))]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), quiet("torch.onnx"):
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            run.model,
            examples[0],
            input_names=names,
            output_names=["output"],
            dynamic_shapes=(shapes,) if takes_any else shapes,  # as the model's own signature groups its inputs
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    proto.metadata_props.add(key=TOLD, value=_told(run))
    data: bytes = proto.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    outputs: list[list[Tensor]] = []
    for inputs in examples:
        feed = {name: part.numpy() for name, part in zip(names, inputs, strict=True)}
        result: Any = session.run(None, feed)[0]
        outputs.append([torch.from_numpy(result)])
    return data, outputs


def _told(run: Run) -> str:
    """Return how an example becomes what the network takes, and what its outputs are, as JSON: part of inputs.json."""
    known = read_mapping(run.folder.path / "inputs.json")
    return json.dumps({name: known[name] for name in ("spec", "encoding") if name in known}, ensure_ascii=False)


def _compare(expected: list[Tensor], outputs: list[Tensor]) -> float:
    """Return the largest difference, or raise ExportError."""
    largest = 0.0
    for want, got in zip(expected, outputs, strict=True):
        if want.shape != got.shape:
            raise ExportError(f"the exported model returns {list(got.shape)}, the trained one {list(want.shape)}")
        difference = float((want - got).abs().max()) if want.numel() else 0.0
        if not torch.allclose(want, got, rtol=RELATIVE, atol=ABSOLUTE):
            raise ExportError(f"the exported model is off by {difference:.3g}; nothing was written")
        largest = max(largest, difference)
    return largest
