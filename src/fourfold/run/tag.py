"""Tagging the words of new texts with a recorded run, without its training data.

Checked by: the source's own sentences get the tags that the model's scores give them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.text.encoding import Framed, TaggedTextEncoding, inputs_of
from fourfold.data.text.padded import WIDTH, portions
from fourfold.run.run import Run
from fourfold.tasks.tagging import OUTSIDE, TaggingSpec, entities
from fourfold.tasks.tokens import MOST_SCORES

BATCH_SIZE = 256


class TaggedText(NamedTuple):
    """A text's words, the tag of each and how sure it is; beyond what the model reads a tag is O, of probability 0."""

    words: list[str]
    tags: list[str]
    probabilities: list[float]

    def to_mapping(self) -> dict[str, Any]:
        """Return it ready for JSON, entities put together."""
        found = [
            {"type": kind, "text": " ".join(self.words[first : last + 1]), "first": first, "last": last}
            for kind, first, last in entities(self.tags)
        ]
        return {**self._asdict(), "entities": found}


class Tagged(NamedTuple):
    """Tagged texts, and what was done to them."""

    texts: list[TaggedText]
    notes: list[str]


def tag(run: Run, texts: Sequence[Any]) -> Tagged:
    """Return the run's tags for each text.

    Args:
        run: a run with weights that tags words.
        texts: each as a text, which is parted into words, or as a list of words.

    Raises:
        InputError: the run does not tag, or there are no texts.
    """
    spec = run.spec
    encoding = run.encoding if isinstance(spec, TaggingSpec) else None
    if not isinstance(spec, TaggingSpec) or not isinstance(encoding, TaggedTextEncoding):
        raise InputError(f"{run.run_id}: this run does not tag words; its data pose {spec.task.replace('_', ' ')}")
    if not texts:
        raise InputError("nothing to tag: no texts were given")
    words = [encoding.words(text, f"text {number}") for number, text in enumerate(texts, start=1)]
    tokens, places = encoding.placed(words)
    most = max(1, MOST_SCORES // max(spec.num_outputs, WIDTH))
    tagged: list[TaggedText] = []
    with torch.inference_mode():
        for start, end in portions([len(row) for row in tokens], BATCH_SIZE, most):
            inputs = inputs_of(Framed(tokens[start:end], None, 0))
            best = run.predictor(*inputs).float().softmax(2).max(2)
            rows = zip(best.indices.tolist(), best.values.tolist(), places[start:end], words[start:end], strict=True)
            for tags, shares, begins, named in rows:
                beyond = len(named) - len(begins)
                says = [spec.tag_names[tags[place]] for place in begins] + [OUTSIDE] * beyond
                tagged.append(TaggedText(named, says, [shares[place] for place in begins] + [0.0] * beyond))
    lost = sum(len(named) - len(begins) for named, begins in zip(words, places, strict=True))
    notes = [f"{counted(lost, 'word')} beyond {encoding.max_length} tokens of a text: no tag is said of them"]
    return Tagged(tagged, notes if lost else [])
