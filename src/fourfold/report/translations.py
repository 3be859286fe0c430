"""What a translator writes of a few texts, drawn beside their translations, and where it looked as it wrote one.

Checked by: a model that spells, whose translations are known; the page says what `fourfold translate` says.
"""

from fourfold.core.errors import InputError
from fourfold.report.attention import draw_looks
from fourfold.report.drawing import Drawn
from fourfold.run.run import Run
from fourfold.run.translate import spec_of, translate
from fourfold.run.views.attention import looks
from fourfold.tasks.text_drawing import draw_translated

TEXTS = 6
WORDS = 4, 14  # of a text whose map shows something, and fits the page


def draw_translations(run: Run) -> list[Drawn]:
    """Draw the first texts of the test split (validation where there is none), each with what the model writes.

    Beside them stands the map of attention of one of these texts, where the model looks back at what it read.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    spec, source = spec_of(run), run.parts.source
    split = "test" if source.sizes.get("test") else "validation"
    pairs = source.raw(split, list(range(min(TEXTS, source.sizes[split]))))
    said = translate(run, [text for text, _ in pairs]).texts
    figure = draw_translated(spec.languages, pairs, said, "What the model writes by itself")
    first = "first text" if len(pairs) == 1 else f"first {len(pairs)} texts"
    caption = (
        f"The {first} of the {split} split: the text, its translation in the data, and what the model writes, the "
        "likeliest token each time, as fourfold translate does."
    )
    return [Drawn("translations", figure, caption), *_map(run, [text for text, _ in pairs])]


def _map(run: Run, texts: list[str]) -> list[Drawn]:
    """Return the map of one text, the longest that fits the page; none of a model without attention."""
    fewest, most = WORDS
    suitable = [text for text in texts if fewest <= len(text.split()) <= most]
    if not suitable:
        return []
    try:
        found = looks(run, max(suitable, key=len))
    except InputError:  # it does not look back
        return []
    if len(found.target) > 2 * most:  # a network that has learned little may write on and on
        return []
    caption = (
        "Where it looked as it wrote one of them: a row for each word that it wrote, a column for each that it read. "
        "Of other texts fourfold translate --attention draws it."
    )
    return [Drawn("attention", draw_looks(found), caption)]
