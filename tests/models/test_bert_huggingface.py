"""BERT against Hugging Face's, whose weights are copied into it: outputs and gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses.masked_and_next import masked_and_next
from fourfold.models import MODELS
from fourfold.models.base import ModelConfig
from fourfold.models.bert import BERT, BERTConfig
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedTargets
from fourfold.tasks.seam import Spec, Tokens
from fourfold.tasks.tagging import TaggingSpec

transformers = pytest.importorskip("transformers")

PAIRS = Tokens(60, 16, 2)
FIELDS = {"name": "bert", "layers": 3, "width": 24, "heads": 4, "hidden": 40, "max_length": 20}
THEIRS = {
    "vocab_size": 60,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 20,
    "attn_implementation": "eager",
}
LENGTHS = torch.tensor([16, 9, 12, 3])


def config() -> ModelConfig:
    parsed = MODELS.parse(FIELDS, "model")
    assert isinstance(parsed, ModelConfig)
    return parsed


def twins(kind: str, spec: Spec, **fields: object) -> tuple[Any, BERT]:
    """Return Hugging Face's network and ours with its weights, both in float64 and without dropout."""
    torch.manual_seed(3)
    theirs = getattr(transformers, kind)(transformers.BertConfig(**THEIRS, **fields))
    for param in theirs.parameters():  # as drawn, biases are zero and norms are one: nothing would tell them apart
        nn.init.normal_(param, std=0.3)
    ours = config().build(spec)
    assert isinstance(ours, BERT)
    ours.load_state_dict(config().adopted(theirs.state_dict()))
    return theirs.double().eval(), ours.double().eval()


def compare_gradients(theirs: nn.Module, ours: BERT) -> None:
    found = {name: param.grad for name, param in theirs.named_parameters() if param.grad is not None}
    expected = config().adopted(found)
    assert set(expected) == {name for name, _ in ours.named_parameters()}
    for name, param in ours.named_parameters():
        torch.testing.assert_close(param.grad, expected[name], rtol=1e-9, atol=1e-11, msg=lambda m, n=name: f"{n}: {m}")


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    tokens = torch.randint(1, 60, (4, 16), generator=generator)
    real = torch.arange(16) < LENGTHS.unsqueeze(1)
    segments = ((torch.arange(16) >= LENGTHS.unsqueeze(1) // 2) & real).long()
    return tokens * real, real.long(), segments


def test_every_token_in_its_context_and_the_pooled_text() -> None:
    theirs, ours = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    tokens, mask, segments = inputs()
    expected = theirs.bert(tokens, mask, segments)
    states = ours.encode(tokens, LENGTHS, segments)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(states[row, :length], expected.last_hidden_state[row, :length])
    assert ours.pooler is not None
    torch.testing.assert_close(torch.tanh(ours.pooler(states[:, 0])), expected.pooler_output)
    whole = theirs.bert(tokens[:1])  # neither padding nor segments
    torch.testing.assert_close(ours.encode(tokens[:1]), whole.last_hidden_state)


def test_pretraining_scores_loss_and_gradients() -> None:
    theirs, ours = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    tokens, mask, segments = inputs()
    labels = torch.full_like(tokens, -100)
    labels[:, 1:3] = torch.tensor([[5, 9], [11, 2], [7, 7], [30, 59]])  # as many in each row: then the counts agree
    following = torch.tensor([0, 1, 1, 0])
    expected = theirs(tokens, mask, segments, labels=labels, next_sentence_label=following)
    output = ours(tokens, LENGTHS, segments)
    torch.testing.assert_close(output.tokens[mask.bool()], expected.prediction_logits[mask.bool()])
    torch.testing.assert_close(output.next_sentence, expected.seq_relationship_logits)
    value = masked_and_next(output, MaskedTargets(labels, following))
    torch.testing.assert_close(value.mean, expected.loss)
    expected.loss.backward()
    value.mean.backward()
    compare_gradients(theirs, ours)


@pytest.mark.parametrize("size", ["bert-small", "bert-base", "bert-large"])
def test_a_layer_of_each_size(size) -> None:
    parsed = MODELS.parse({"name": size, "layers": 1, "max_length": 20}, "model")
    assert isinstance(parsed, BERTConfig)
    torch.manual_seed(3)
    sizes = {"hidden_size": parsed.width, "num_attention_heads": parsed.heads, "intermediate_size": 4 * parsed.width}
    theirs = transformers.BertForPreTraining(transformers.BertConfig(**{**THEIRS, **sizes, "num_hidden_layers": 1}))
    ours = parsed.build(MaskedLanguageModellingSpec(PAIRS, ""))
    ours.load_state_dict(parsed.adopted(theirs.state_dict()))
    theirs.double().eval()
    ours.double().eval()
    tokens, mask, segments = (part[1:2, :9] for part in inputs())  # without padding, whose vectors mean nothing
    expected, output = theirs(tokens, mask, segments), ours(tokens, None, segments)
    pairs = [(output.tokens, expected.prediction_logits), (output.next_sentence, expected.seq_relationship_logits)]
    for mine, other in pairs:
        torch.testing.assert_close(mine, other)
        mine.square().sum().backward(retain_graph=True)
        other.square().sum().backward(retain_graph=True)
    named = {name: param.grad for name, param in theirs.named_parameters() if param.grad is not None}
    moved = {name: grad for name, grad in parsed.adopted(named).items() if ".attention.inputs.bias" not in name}
    found = {name: param.grad for name, param in ours.named_parameters()}
    oracle = "Hugging Face's BertForPreTraining"
    verified("network", size, oracle, "outputs", *([pair[side] for pair in pairs] for side in (0, 1)))
    verified("network", size, oracle, "gradients", [found[name] for name in moved], list(moved.values()))


def test_pretraining_at_the_hidden_places_alone() -> None:
    theirs, ours = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    tokens, mask, segments = inputs()
    positions = torch.tensor([[1, 2], [4, 8], [1, 11], [0, 2]])
    targets = MaskedTargets(torch.tensor([[5, 9], [11, 2], [7, 7], [30, 59]]), torch.tensor([0, 1, 1, 0]))
    labels = torch.full_like(tokens, -100).scatter(1, positions, targets.tokens)
    expected = theirs(tokens, mask, segments, labels=labels, next_sentence_label=targets.next_sentence).loss
    documents = mask  # one text a row
    value = masked_and_next(ours(tokens, LENGTHS, segments, documents, positions), targets)
    torch.testing.assert_close(value.mean, expected)
    expected.backward()
    value.mean.backward()
    compare_gradients(theirs, ours)


def test_sequence_classification() -> None:
    spec = ClassificationSpec(PAIRS, ("a", "b", "c"))
    theirs, ours = twins("BertForSequenceClassification", spec, num_labels=3)
    tokens, mask, segments = inputs()
    labels = torch.tensor([2, 0, 1, 1])
    expected = theirs(tokens, mask, segments, labels=labels)
    output = ours(tokens, LENGTHS, segments)
    torch.testing.assert_close(output, expected.logits)
    expected.loss.backward()
    nn.functional.cross_entropy(output, labels).backward()
    compare_gradients(theirs, ours)


def test_token_classification() -> None:
    spec = TaggingSpec(Tokens(60, 16, 1), ("O", "B-A", "I-A", "B-B", "I-B"))
    theirs, ours = twins("BertForTokenClassification", spec, num_labels=5)
    tokens, mask, _ = inputs()
    labels = (tokens % 5).masked_fill(mask == 0, -100)
    expected = theirs(tokens, mask, labels=labels)
    output = ours(tokens, LENGTHS)
    torch.testing.assert_close(output[mask.bool()], expected.logits[mask.bool()])
    expected.loss.backward()
    nn.functional.cross_entropy(output.flatten(0, 1), labels.flatten()).backward()
    compare_gradients(theirs, ours)


def test_a_published_config_says_what_the_network_must_be() -> None:
    published = transformers.BertConfig(**THEIRS).to_dict()
    facts = config().published_facts()
    assert {name: published[name] for name in facts if name in published} == {
        name: fact for name, fact in facts.items() if name in published
    }
    assert len(set(facts) & set(published)) >= 9


def test_a_published_folder_begins_a_network_with_a_head_of_its_own(tmp_path) -> None:
    theirs, _ = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    theirs.float().save_pretrained(tmp_path)
    ours = config().build(ClassificationSpec(PAIRS, ("a", "b", "c"))).eval()
    assert isinstance(ours, BERT)
    file = locate(str(tmp_path), config())
    notes = put_weights(ours, config(), read_weights(file), 3, file)
    tokens, mask, segments = inputs()
    expected = theirs.bert(tokens[:1], mask[:1], segments[:1]).last_hidden_state
    torch.testing.assert_close(ours.encode(tokens[:1], None, segments[:1]), expected, rtol=1e-4, atol=1e-4)
    assert notes[0] == "weights: head.weight, head.bias drawn anew: the file has none, it is of another task"
    assert notes[1].startswith("weights: ")
    assert {name.split(".")[0] for name in notes[1].split()[1:7]} == {"words", "pairs"}
    other = MODELS.parse({**FIELDS, "layers": 2}, "model")
    assert isinstance(other, ModelConfig)
    with pytest.raises(InputError, match=r"another network than this bert: model\.layers: 3 there, 2 here$"):
        locate(str(tmp_path), other)
    file = (tmp_path / "config.json").rename(tmp_path / "sizes.json").with_name("model.safetensors")
    smaller = other.build(ClassificationSpec(PAIRS, ("a", "b", "c")))
    with pytest.raises(InputError, match=r"does not fit this bert: model\.layers: 3 there, 2 here$"):
        put_weights(smaller, other, read_weights(file), 3, file)
    wider = MODELS.parse({**FIELDS, "hidden": 7, "max_length": 77}, "model")
    assert isinstance(wider, ModelConfig)
    with pytest.raises(
        InputError, match=r"bert: model\.hidden: \d+ there, 7 here; model\.max_length: \d+ there, 77 here$"
    ):
        put_weights(wider.build(ClassificationSpec(PAIRS, ("a", "b"))), wider, read_weights(file), 2, file)


def test_a_padded_embedding_loses_the_rows_that_no_token_has_and_scores_stay_as_they_were() -> None:
    theirs, _ = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    known = 53  # of 60 rows
    ours = config().build(MaskedLanguageModellingSpec(PAIRS._replace(vocab_size=known), "")).double().eval()
    notes = put_weights(ours, config(), theirs.state_dict(), known, Path("F"), tokens=known)
    assert notes == [
        f"weights: the last 7 of 60 rows of {name} left out: they are no token's"
        for name in ("embeddings.words.weight", "words.bias")
    ]
    tokens, mask, segments = inputs()
    tokens = tokens.clamp(max=known - 1)
    expected = theirs(tokens, mask, segments)
    output = ours(tokens, LENGTHS, segments)
    torch.testing.assert_close(output.tokens[mask.bool()], expected.prediction_logits[mask.bool()][:, :known])
    torch.testing.assert_close(output.next_sentence, expected.seq_relationship_logits)


def test_names_of_files_from_before_2019() -> None:
    theirs, ours = twins("BertForPreTraining", MaskedLanguageModellingSpec(PAIRS, ""))
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in theirs.state_dict().items()
    }
    assert any(name.endswith("gamma") for name in old)
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in config().adopted(old).items())
