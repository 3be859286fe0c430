import json

import pyarrow
import pytest
import torch
from pyarrow import parquet
from whole_texts import write_whole_texts

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.encoding import encoding_from_mapping
from fourfold.data.table.reading import read_table
from fourfold.data.text.masked import MaskedSource
from fourfold.report.shown import show_predictions
from fourfold.run.predict import predict
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedTargets
from fourfold.tasks.seam import Batch, Order, Source
from fourfold.tasks.specs import spec_from_mapping, spec_to_mapping
from fourfold.tasks.tokenizer import Tokenizer, tokenizer_of
from fourfold.tasks.tokens import IGNORED

ANIMALS = ("cat", "dog", "cow", "hen", "fox", "owl", "bee", "ant")
VERBS = ("eats", "sees", "likes", "fears")


@pytest.fixture
def folder(tmp_path):
    """Return a folder of 60 documents that have each sentence in them once."""
    place = tmp_path / "stories"
    place.mkdir()
    for number in range(60):
        chosen = torch.randperm(8, generator=torch.Generator().manual_seed(number)).tolist()
        lines = [f"Story {number}: the {ANIMALS[i]} {VERBS[i % 4]} the {ANIMALS[(i + number) % 8]}." for i in chosen]
        (place / f"{number:02}.txt").write_text("\n".join(lines), encoding="utf-8")
    return place


def build(path, seed: int = 0, **fields: object) -> MaskedSource:
    given = {"name": "masked_text", "path": str(path), "max_length": 32, "vocab_size": 300, **fields}
    source = DATA.parse(given, "data").build(seed, path)  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(source, MaskedSource)
    return source


def reader_of(source: MaskedSource) -> Tokenizer:
    assert isinstance(source.spec, MaskedLanguageModellingSpec)
    return tokenizer_of(source.spec.tokenizer)


def flat(batch: Batch) -> list[torch.Tensor]:
    return [*batch.inputs, *batch.targets]


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(flat(a), flat(b), strict=True))


def test_a_batch_is_what_the_task_says(folder) -> None:
    source = build(folder)
    reader = reader_of(source)
    assert spec_from_mapping(json.loads(json.dumps(spec_to_mapping(source.spec)))) == source.spec
    tokens, lengths, segments, documents, positions = (batch := next(source.train(Order(0, 16)))).inputs
    assert isinstance(batch.targets, MaskedTargets)
    assert tokens.shape == segments.shape == documents.shape
    assert int(lengths.max()) == tokens.shape[1] <= 32
    assert positions.shape == batch.targets.tokens.shape
    for row, length in enumerate(lengths.tolist()):
        words = tokens[row].tolist()
        assert documents[row].tolist() == [1] * length + [0] * (len(words) - length)
        places = [place for place in positions[row].tolist() if place >= 0]
        asked = max(1, round(0.15 * length))
        assert len(places) == asked
        true = batch.targets.tokens[row]
        assert (true != IGNORED).sum() == asked
        for place, token in zip(places, true.tolist(), strict=False):
            words[place] = token
        a, b, *rest = "".join(reader.decode([words[:length]], special=True)).removeprefix("[CLS]").split("[SEP]")
        assert rest in ([""], [" "])
        numbers = [
            {part.split(":")[0].split()[-1] for part in text.split("story")[1:]} for text in (a.lower(), b.lower())
        ]
        assert all(len(each) <= 1 for each in numbers)  # a text is of one document
        if all(numbers):
            assert (numbers[0] == numbers[1]) == (batch.targets.next_sentence[row] == 0)


def test_seek_equals_replay_and_other_words_are_hidden_in_another_epoch(folder) -> None:
    source = build(folder)
    stream = source.train(Order(3, 20))
    batches = [next(stream) for _ in range(2 * stream.steps_per_epoch)]
    stream.seek(2)
    assert same(next(stream), batches[2])
    fresh = source.train(Order(3, 20))
    fresh.seek(stream.steps_per_epoch)
    assert same(next(fresh), batches[stream.steps_per_epoch])
    assert not same(next(source.train(Order(4, 20))), batches[0])


def test_every_stretch_once_an_epoch(folder) -> None:
    source = build(folder, next_sentence=False)
    stream, seen = source.train(Order(0, 9)), []
    for _ in range(stream.steps_per_epoch):
        batch = next(stream)
        whole = batch.inputs[0].clone()
        for row, (places, true) in enumerate(zip(batch.inputs[4], batch.targets.tokens, strict=True)):
            whole[row, places[places >= 0]] = true[places >= 0]
        seen += [
            tuple(row[1 : length - 1].tolist()) for row, length in zip(whole, batch.inputs[1].tolist(), strict=True)
        ]
    assert len(seen) == source.sizes["train"]
    expected = [source._stretches["train"].tokens_of(number) for number in range(len(seen))]
    room = 32 - 2
    fits = sorted(tuple(each) for each in expected if len(each) <= room)
    assert fits == sorted(each for each in seen if len(each) < room or each in fits)


def test_the_shares_of_processes_make_up_the_whole_batch(folder) -> None:
    source = build(folder)
    whole = next(source.train(Order(1, 11)))
    shares = [next(source.train(Order(1, 11, rank, 3))) for rank in range(3)]
    for number, part in enumerate(flat(whole)):
        assert torch.equal(torch.cat([flat(share)[number] for share in shares]), part)


def test_evaluation_hides_the_same_words_whatever_the_seed_and_the_batches(folder) -> None:
    source, other = build(folder, seed=0), build(folder, seed=9)
    ours, theirs = list(source.split("validation", 1000)), list(other.split("validation", 1000))
    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    small = list(source.split("validation", 3))
    assert max(len(batch.inputs[0]) for batch in small) == 3
    for number in range(7):
        joined = torch.cat([flat(batch)[number] for batch in small])
        assert torch.equal(joined, torch.cat([flat(batch)[number] for batch in ours]))
    assert sum(len(batch.inputs[0]) for batch in ours) == source.sizes["validation"]
    scored = sum(len(batch.inputs[0]) for batch in source.scored("train", 100))
    assert scored == max(source.sizes["validation"], source.sizes["test"])
    assert sum(len(batch.inputs[0]) for batch in source.split("train", 100)) == source.sizes["train"]


def test_batches_of_evaluation_fit_into_memory(folder, monkeypatch) -> None:
    source = build(folder)
    most = source.spec.num_outputs * 5 * 4
    monkeypatch.setattr("fourfold.data.text.masked.MOST_SCORES", most)
    batches = list(source.split("test", 1000))
    assert max(batch.targets.tokens.numel() * source.spec.num_outputs for batch in batches) <= most
    assert min(len(batch.inputs[0]) for batch in batches[:-1]) > 1


def test_a_sample_is_those_stretches_and_no_others(folder) -> None:
    source = build(folder)
    sample = source.resampled(torch.tensor([5, 5, 2])).resampled(torch.tensor([2, 0]))
    assert sample.sizes["train"] == 2
    assert sample.raw("train", [0, 1]) == source.raw("train", [2, 5])
    assert sample.members("train").tolist() == [2, 5]


def test_splits_are_of_whole_documents(folder) -> None:
    source = build(folder)
    numbers = {
        name: {text.split(":")[0].split()[-1] for text in source.raw(name, list(range(size)))}
        for name, size in source.sizes.items()
    }
    assert sum(map(len, numbers.values())) == 60
    assert len(set.union(*numbers.values())) == 60


def test_a_file_of_several_documents(tmp_path) -> None:
    path = tmp_path / "책.txt"
    parts = [f"문서 {number}. 둘째 문장." for number in range(20)]
    path.write_bytes("\r\n  \r\n".join([*parts, parts[0]]).encode())
    source = build(path, max_length=12)
    assert list(source.files) == [str(path)]
    assert any("20 different documents in 1 file" in note for note in source.notes)


def test_new_texts_are_encoded_as_training_was(folder) -> None:
    source = build(folder)
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    assert encoding == source.encoding
    tokens, lengths, segments, documents, positions = encoding.encode_rows(
        ["the [MASK] eats the [MASK].", ["the cat", "sees the [MASK]."]]
    ).inputs
    reader = reader_of(source)
    cls, sep, mask = (reader.number_of(f"[{name}]") for name in ("CLS", "SEP", "MASK"))
    (the, eats, dot, cat, sees) = (row[0] for row in reader.encode(["the", "eats", ".", "cat", "sees"]))
    assert tokens.tolist() == [
        [cls, the, mask, eats, the, mask, dot, sep, 0],
        [cls, the, cat, sep, sees, the, mask, dot, sep],
    ]
    assert lengths.tolist() == [8, 9]
    assert segments.tolist() == [[0] * 9, [0] * 4 + [1] * 5]
    assert documents.tolist() == [[1] * 8 + [0], [1] * 9]
    assert positions.tolist() == [[2, 5], [6, -1]]
    for rows, says in (
        (["no hole"], r"row 1: no \[MASK\] in 'no hole'"),
        ([7], "row 1: expected a text, or two"),
        (["[MASK]" * 40], "row 1: 42 tokens, where the model takes 32 at most"),
    ):
        with pytest.raises(InputError, match=says):
            encoding.encode_rows(rows)


def test_what_cannot_be_used(tmp_path, folder) -> None:
    with pytest.raises(InputError, match=r"data.path: name your texts"):
        build("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no .txt file in this folder"):
        build(tmp_path / "empty")
    one = tmp_path / "one.txt"
    one.write_text("A text. Of two sentences.", encoding="utf-8")
    with pytest.raises(InputError, match=r"data.next_sentence: the train split has one document"):
        build(one, validation=0.0, test=0.0)
    assert build(one, validation=0.0, test=0.0, next_sentence=False).sizes["train"] == 1


def test_reviews_are_divided_as_their_own_source_divides_them(tmp_path, monkeypatch) -> None:
    write_whole_texts(tmp_path, monkeypatch)

    def of(name: str, **fields: object) -> Source:
        return DATA.parse({"name": name, "vocab_size": 300, **fields}, "data").build(0, tmp_path)  # pyright: ignore[reportAttributeAccessIssue]

    ours, theirs = of("masked_text", of="reviews"), of("reviews")
    for name, size in theirs.sizes.items():
        numbers = {text.split('"fine"')[0].split()[-1] for text in theirs.raw(name, list(range(size)))}
        found = {text.split('" fine')[0].split()[-1] for text in ours.raw(name, list(range(ours.sizes[name])))}
        assert len(numbers) > 5
        assert {each for each in found if each.isdigit()} <= numbers
    assert of("masked_text", of="reviews", train_examples=9).sizes["train"] == 9


def test_a_run_has_a_report_and_guesses_words_from_its_folder_alone(folder) -> None:
    recipe = {
        "data": {"name": "masked_text", "path": str(folder), "max_length": 32, "vocab_size": 300},
        "model": {"name": "bert", "layers": 1, "width": 8, "heads": 2, "max_length": 32},
        "loss": "usual",
        "algorithm": "supervised",
        "budget": {"steps": 2, "batch_size": 8},
        "runtime": {"device": "cpu", "threads": 1, "accumulate": 3},
    }
    run = ff.run(recipe, workspace=folder.parent)
    assert set(run.metrics["test"]) == {"loss", "perplexity", "masked_accuracy", "next_sentence_accuracy"}
    (drawn,) = show_predictions(run).all()
    assert drawn.name == "texts"
    rows = predict(run, ["the [MASK] eats the [MASK].", "a [MASK]"]).rows
    assert [len(row["words"]) for row in rows] == [2, 1]
    table = folder.parent / "rows.csv"
    table.write_text("text\na [MASK]\n", encoding="utf-8")
    with pytest.raises(InputError, match="this run guesses hidden words; give texts, a line each"):
        predict(run, read_table(table))


def test_articles_are_divided_as_their_makers_did_and_become_tokens_piece_by_piece(tmp_path, monkeypatch) -> None:
    host = tmp_path / "host"
    host.mkdir()
    counts = {"train": (20, "cat"), "validation": (5, "cata"), "test": (6, "catat")}
    for split, (count, animal) in counts.items():
        lines = [line for i in range(count) for line in (f" = {i} = \n", "", f" The {animal} {i} sat . It ran . \n")]
        parquet.write_table(pyarrow.table({"text": lines}), host / f"{split}-0.parquet")
    source = build(host, of="wikitext-2")
    assert "split: train 20, validation 5, test 6 examples, as its makers set them" in source.notes
    for split, (count, animal) in counts.items():
        texts = source.raw(split, list(range(source.sizes[split])))
        assert source.sizes[split] == count
        assert all(f" {animal} " in text for text in texts)
    monkeypatch.setattr("fourfold.data.masked_text.PIECE", 3)
    again = build(host, of="wikitext-2")
    assert all(same(a, b) for a, b in zip(source.split("train", 64), again.split("train", 64), strict=True))
    with pytest.raises(InputError, match=r"none: no train-….parquet in it"):
        build(tmp_path / "none", of="wikitext-103")


def test_reviews_and_a_path_contradict() -> None:
    with pytest.raises(InputError, match=r"data\.path: texts would not be read, for data.of=reviews"):
        DATA.parse({"name": "masked_text", "of": "reviews", "path": "texts"}, "data")
