import json

import pytest

from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Image
from fourfold.tasks.sentence_pairs import SentencePairsSpec
from fourfold.tasks.specs import TASKS, spec_from_mapping, spec_to_mapping
from fourfold.tasks.synthesis import ImageSynthesisSpec, PointSynthesisSpec
from fourfold.tasks.tagging import TaggingSpec
from fourfold.tasks.text_classification import TextClassificationSpec
from fourfold.tasks.translation import TranslationSpec

SPECS = [
    ClassificationSpec(Image(1, 28, 28), ("고양이", "a dog"), (3, 4)),
    ClassificationSpec(Features(("x", "y")), ("0", "1")),
    RegressionSpec(Features(("x",)), ("가격", "size"), (0.1, -1e300), (1 / 3, 2.0)),
    ProbabilisticRegressionSpec(Image(3, 4, 5), ("price",), (0.1,), (7.0,)),
    forecasting_spec(("기온", "rain"), 24, 2, 12, (1.5, 0.0), (2.0, 0.1), (0.5, 3.0)),
    MaskedLanguageModellingSpec(Tokens(3, 8, 2), '{"model": "한글"}', next_sentence=True),
    LanguageModellingSpec(Tokens(3, 8, 1), '{"model": "한글"}', (4, 0, 2)),
    TextClassificationSpec(Tokens(3, 8, 2), ("부정", "긍정"), (1, 2)),
    SentencePairsSpec(Tokens(3, 8, 2), ("유사도",), (2.5,), (1.5,)),
    TaggingSpec(Tokens(3, 8, 1), ("O", "B-인물")),
    ContrastiveSpec(Image(3, 8, 8), ("고양이", "a dog")),
    ImageSynthesisSpec(Image(3, 8, 8)),
    PointSynthesisSpec(Features(("가로", "y"))),
    ControlSpec(Image(4, 84, 84), ("왼쪽", "right"), 0.9, 4, 1 / 255),
    TranslationSpec(Tokens(3, 8, 1), Tokens(4, 9, 1), '{"model": "한글"}', ("en", "ko"), "char", "{}"),
]
GOOD = spec_to_mapping(SPECS[0])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.task)
def test_a_spec_reads_back_equal_through_json(spec) -> None:
    assert spec_from_mapping(json.loads(json.dumps(spec_to_mapping(spec)))) == spec


def test_every_task_of_the_table_is_covered_here() -> None:
    assert {spec.task for spec in SPECS} == set(TASKS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"task": "clasification"}, "did you mean 'classification'"),
        ({"task": None}, "spec.task"),
        ({"task": "os:system"}, "spec.task: no task called 'os:system'"),
        ({"input": None}, "spec.input.kind"),
        ({"input": {"kind": "imge", "channels": 1, "height": 2, "width": 2}}, "did you mean 'image'"),
        ({"input": {"kind": "image", "channels": 1, "height": 2}}, "spec.input.width: this field is required"),
        (
            {"input": {"kind": "image", "channels": 0, "height": 2, "width": 2}},
            "spec.input.channels: 0; image needs one or more",
        ),
        ({"input": {"kind": "image", "channels": 1, "height": 2, "width": "2"}}, "spec.input.width: input should be"),
        ({"input": {"kind": "features", "names": "abc"}}, "spec.input.names"),
        ({"class_names": [1, 2]}, "spec.class_names"),
        ({"class_nmes": []}, "did you mean 'class_names'"),
        ({"class_counts": [1.5, 2]}, "spec.class_counts"),
        ({"class_counts": [1, 2, 3]}, "3 counts for 2 classes"),
        ({"class_names": float("nan")}, "spec.class_names"),
    ],
)
def test_junk_is_refused_in_one_line(change, says) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(")) as error:
        spec_from_mapping({**GOOD, **change})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("junk", [[], None, 3, "classification", {}])
def test_what_is_not_a_mapping_of_a_task_is_refused(junk) -> None:
    with pytest.raises(InputError, match=r"spec\.task"):
        spec_from_mapping(junk)


def test_a_missing_field_is_named() -> None:
    fields = {name: value for name, value in GOOD.items() if name != "class_names"}
    with pytest.raises(InputError, match=r"spec\.class_names: this field is required"):
        spec_from_mapping(fields)
