"""What a trained network says about its data, drawn: overview, best and worst, the plane, weights, what it sees.

Checked by: each task draws what belongs to it; the worst predictions are the wrong ones.
"""

from dataclasses import dataclass, field

from fourfold.report.boundary import can_draw_boundary, draw_boundary
from fourfold.report.confusion import draw_confusion
from fourfold.report.drawing import Drawn
from fourfold.report.forecasts import draw_over_time
from fourfold.report.neighbours import draw_nearest
from fourfold.report.predictions import Predictions, predict_split
from fourfold.report.residuals import draw_against_truth, draw_numbers
from fourfold.report.samples import draw_synthesis
from fourfold.report.tokens import draw_texts
from fourfold.report.translations import draw_translations
from fourfold.report.views.look import what_it_sees
from fourfold.report.weights import draw_weights
from fourfold.run.run import Run
from fourfold.run.views.embedding import listening
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.forecasting import ForecastingSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Image, Tokens
from fourfold.tasks.synthesis import SynthesisSpec
from fourfold.tasks.tokens import TokenSpec
from fourfold.tasks.translation import TranslationSpec

PICTURES, ROWS = 12, 8  # examples drawn as best, and as worst


@dataclass(frozen=True)
class Shown:
    """Figures by section; a section without figures is left out of the page."""

    overview: list[Drawn] = field(default_factory=list)
    examples: list[Drawn] = field(default_factory=list)
    plane: list[Drawn] = field(default_factory=list)
    weights: list[Drawn] = field(default_factory=list)
    seen: list[Drawn] = field(default_factory=list)

    def all(self) -> list[Drawn]:
        """Return every figure in the order of the page."""
        return [*self.overview, *self.examples, *self.plane, *self.weights, *self.seen]


def show_predictions(run: Run) -> Shown:
    """Draw what the trained network of a finished run says.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    if isinstance(run.spec, TranslationSpec):
        return Shown(examples=draw_translations(run))
    if isinstance(run.spec, TokenSpec | MaskedLanguageModellingSpec):
        return Shown(examples=draw_texts(run))
    if isinstance(run.spec, SynthesisSpec):
        return Shown(examples=draw_synthesis(run))
    if isinstance(run.spec, ContrastiveSpec):
        return Shown(examples=draw_nearest(run))
    with listening(run.model) as heard:
        predictions = predict_split(run)
    spec = predictions.spec
    plane = [draw_boundary(run.model, predictions.source)] if can_draw_boundary(spec) else []
    weights = draw_weights(run.model, spec)
    told_apart = isinstance(spec, ClassificationSpec) and isinstance(spec.input, Image)
    seen = what_it_sees(run, predictions, heard) if told_apart else []
    overview = _overview(run, predictions)
    return Shown(overview, _examples(predictions), plane, [weights] if weights else [], seen)


def _overview(run: Run, predictions: Predictions) -> list[Drawn]:
    spec = predictions.spec
    if isinstance(spec, ForecastingSpec):
        known = predictions.split == "test" and predictions.source.sizes.get("validation")
        return draw_over_time(spec, predictions, predict_split(run, "validation") if known else None)
    if isinstance(spec, ClassificationSpec):
        return [draw_confusion(spec, predictions.output, predictions.batch.targets, predictions.split)]
    assert isinstance(spec, RegressionSpec | ProbabilisticRegressionSpec), spec.task
    return draw_against_truth(spec, predictions)


def _examples(predictions: Predictions) -> list[Drawn]:
    spec = predictions.spec
    few = PICTURES if isinstance(spec.input, Image) else ROWS
    few = min(few, max(1, len(predictions) // 2))
    ranked = predictions.ranked()
    best, worst = ranked[:few], ranked[::-1][:few]
    if isinstance(spec, ForecastingSpec):
        return [
            Drawn(name, spec.draw(*predictions.choose(members)), f"The {name} forecasts: what was seen, said and came.")
            for name, members in (("worst", worst), ("best", best))
        ]
    if isinstance(spec, RegressionSpec | ProbabilisticRegressionSpec):
        return [
            draw_numbers("worst", "The worst predictions", spec, predictions, worst),
            draw_numbers("best", "The best predictions", spec, predictions, best),
        ]
    chosen = {"worst": (worst, "least"), "best": (best, "most")}
    return [
        Drawn(name, spec.draw(*predictions.choose(members)), _in_words(predictions, members, extreme))
        for name, (members, extreme) in chosen.items()
    ]


def _in_words(predictions: Predictions, members: list[int], extreme: str) -> str:
    wrong = sum(int(predictions.output[i].argmax() != predictions.batch.targets[i]) for i in members)
    count = len(members)
    how = {0: "all are right", count: "all are wrong"}.get(wrong, f"{wrong} {'is' if wrong == 1 else 'are'} wrong")
    if count == 1:
        return f"The {predictions.split} example with the {extreme} probability on its true class."
    says = f"The {count} {predictions.split} examples with the {extreme} probability on their true class: {how}."
    if isinstance(predictions.spec.input, Image):
        return f"{says} Above each: what the model says, and how sure it is; orange where it is wrong."
    if isinstance(predictions.spec.input, Tokens):
        return says
    return f"{says} Below each: the values furthest from the training mean."
