"""Sources of whole texts, from tiny files in the true form of the fetched ones and from files of a user's own."""

import json
from pathlib import Path

import pytest
import torch
from whole_texts import FETCHED, TOPICS, WHOLE_TEXTS, sentence, write_whole_texts

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.encoding import encoding_from_mapping
from fourfold.data.libreoffice_help import texts_of_page
from fourfold.data.reviews import plain
from fourfold.data.text.padded import PaddedSource
from fourfold.tasks.seam import Order
from fourfold.tasks.tagging import TaggingSpec, words_of
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED
from fourfold.tasks.translation import TranslationSpec

SPLITS = ("train", "validation", "test")


@pytest.fixture
def fields(tmp_path, monkeypatch) -> dict[str, dict[str, object]]:
    return write_whole_texts(tmp_path, monkeypatch)


@pytest.fixture
def build(fields, tmp_path):
    def with_fields(name: str, **more) -> PaddedSource:
        return DATA.parse({"name": name, **fields[name], **more}, "data").build(0, tmp_path)

    return with_fields


def raw(source: PaddedSource) -> dict[str, list]:
    return {name: source.raw(name, list(range(source.sizes[name]))) for name in SPLITS}


@pytest.mark.parametrize("name", WHOLE_TEXTS)
def test_a_source_keeps_what_its_spec_promises(name, build) -> None:
    source = build(name)
    assert set(source.sizes) == set(SPLITS)
    assert min(source.sizes.values()) > 1
    for split, size in source.sizes.items():
        batches = list(source.split(split, 8))
        assert sum(len(batch.targets) for batch in batches) == size
        for batch in batches:
            tokens, lengths, *_ = batch.inputs
            assert tokens.dtype == lengths.dtype == torch.int64
            assert tokens.shape == (len(lengths), int(lengths.max()))
            assert 0 <= int(tokens.min()) <= int(tokens.max()) < source.spec.input.vocab_size
            assert int(lengths.min()) > 0
            assert len(batch.inputs) == len(source.spec.example())
            assert tokens.shape[1] <= source.spec.input.length
            if not isinstance(source.spec, TranslationSpec):
                assert bool(((tokens != 0).sum(1) == lengths).all())  # padding, and nothing else, is token 0
    assert all(isinstance(note, str) and "\n" not in note for note in source.notes)
    stream = source.train(Order(0, 7))
    counted = sum(len(next(stream).targets) for _ in range(stream.steps_per_epoch))
    assert counted == source.sizes["train"]


@pytest.mark.parametrize(
    "name", [name for name in WHOLE_TEXTS if name not in ("libreoffice_help", "pairs", "multi30k", "wmt14")]
)
def test_a_saved_encoding_treats_texts_as_the_source_did(name, build) -> None:
    source = build(name)
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    expected = next(iter(source.split("test", 4))).inputs
    rows = source.raw("test", list(range(len(expected[0]))))
    for ours, theirs in zip(encoding.encode_rows(rows).inputs, expected, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", WHOLE_TEXTS)
def test_no_text_is_in_two_splits(name, build) -> None:
    parts = {split: {str(text).casefold() for text in texts} for split, texts in raw(build(name)).items()}
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]


@pytest.mark.parametrize("name", WHOLE_TEXTS)
def test_fewer_training_texts_and_the_tokens_of_those(name, build) -> None:
    everything, few = build(name), build(name, train_examples=6)
    assert few.sizes == {**everything.sizes, "train": 6}
    assert set(map(str, raw(few)["train"])) < set(map(str, raw(everything)["train"]))


def test_reviews_are_cleaned_before_copies_are_looked_for(build) -> None:
    source = build("reviews")
    texts = [text for part in raw(source).values() for text in part]
    assert len(texts) == 60
    assert f'{sentence(0)} "fine" & dandy, <grin>' in texts
    assert "1 review equal to an earlier one left out" in source.notes
    assert source.spec.class_names == ("bad", "good")
    for split in SPLITS:
        targets = torch.cat([batch.targets for batch in source.split(split, 99)]).tolist()
        assert [int(text.split('"')[0].split()[-1]) % 2 for text in raw(source)[split]] == targets
    assert sum(build("reviews", of="rotten_tomatoes").sizes.values()) == 30
    assert sum(build("reviews", of="both").sizes.values()) == 90


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a<br /><br />b", "a b"),
        ("a <3 b <BR> c<hr>", "a <3 b c"),
        ("<i>so</i> &amp; so &lt;b&gt;", "so & so <b>"),
        ("<SPOILER> x </SPOILER>", "<SPOILER> x </SPOILER>"),
    ],
)
def test_tags_go_and_what_only_looks_like_them_stays(text, wanted) -> None:
    assert plain(text) == wanted


def test_articles_have_their_topics(build) -> None:
    source = build("bbc")
    assert sum(source.sizes.values()) == 45
    assert source.spec.class_names == TOPICS
    for split in SPLITS:
        targets = torch.cat([batch.targets for batch in source.split(split, 99)]).tolist()
        assert [int(text.split()[-1]) // 1000 for text in raw(source)[split]] == targets


@pytest.mark.parametrize("name", ["ner", "tagged_text"])
def test_each_word_has_its_tag_at_its_first_token(name, build) -> None:
    source = build(name)
    assert isinstance(source.spec, TaggingSpec)
    assert source.spec.tag_names == ("O", "B-geo-loc", "I-geo-loc", "B-person", "I-person")
    for split in SPLITS:
        for batch, words in zip(source.split(split, 1), raw(source)[split], strict=True):
            (tags,) = words_of(batch.targets, batch.targets)
            said = [source.spec.tag_names[tag] for tag in tags]
            assert said == ["O"] * (len(words) - 3) + ["B-person", "I-person", "B-geo-loc"]
            assert int(batch.targets[0, 0]) == int(batch.targets[0, -1]) == IGNORED  # [CLS] and [SEP]


def test_pairs_of_sentences_have_their_scores_and_marks_of_speech(build) -> None:
    source = build("stsb")
    assert source.sizes == {"train": 40, "validation": 15, "test": 15}
    assert source.raw("test", [3]) == [(f'"{sentence(203)}', sentence(204))]
    targets = torch.cat([batch.targets for batch in source.split("train", 99)])
    scores = torch.tensor([i % 6 + i % 10 / 10 for i in range(40)], dtype=torch.float64)
    wanted = (scores - scores.mean()) / scores.std(correction=0)
    torch.testing.assert_close(targets.flatten().double(), wanted, rtol=1e-5, atol=1e-6)
    batch = next(iter(source.split("test", 1)))
    tokens, _, segments = batch.inputs
    tokenizer = tokenizer_of(source.encoding.tokenizer)
    ends = (tokens[0] == tokenizer.number_of("[SEP]")).nonzero().flatten().tolist()
    assert segments[0].tolist() == [0] * (ends[0] + 1) + [1] * (ends[1] - ends[0])


def test_help_pages_are_aligned_whole_and_told_apart(build) -> None:
    source = build("libreoffice_help")
    assert isinstance(source.spec, TranslationSpec)
    assert source.spec.languages == ("en", "ko")
    assert source.spec.words == "char"
    pages = {}
    for split, texts in raw(source).items():
        for english, korean in texts:
            assert korean == f"{english} 번역"
            number = english.split()[-1]
            if number.isdigit():
                assert int(number) % 100 != 1  # not translated
                assert pages.setdefault(int(number) // 100, split) == split
    assert len(set(pages.values())) == 3
    texts = [english for part in raw(source).values() for english, _ in part]
    assert "Too short" not in texts
    assert texts.count("The same words on every page") == 1
    assert any(note.startswith("180 aligned headings and paragraphs; left out: 30 not") for note in source.notes)
    assert any("tok:char" in note for note in source.notes)
    assert build("libreoffice_help", target_language="fr").spec.words == "13a"


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", ["libreoffice_help", "pairs"])
def test_translations_begin_end_and_come_back(name, shared, build) -> None:
    source = build(name, shared_vocabulary=shared, vocab_size=400)
    spec = source.spec
    assert isinstance(spec, TranslationSpec)
    assert (spec.source_tokenizer == "") == shared
    reads, writes = tokenizer_of(spec.source_tokenizer or spec.tokenizer), tokenizer_of(spec.tokenizer)
    for split in SPLITS:
        for batch, (english, other) in zip(source.split(split, 1), raw(source)[split], strict=True):
            tokens, lengths, target = batch.inputs
            assert reads.decode([tokens[0, :-1].tolist()]) == [english]
            assert int(tokens[0, -1]) == reads.number_of("[EOS]")
            assert int(lengths[0]) == tokens.shape[1]
            assert int(target[0, 0]) == spec.begin
            assert int(batch.targets[0, -1]) == spec.end
            assert target[0, 1:].tolist() == batch.targets[0, :-1].tolist()
            assert writes.decode([target[0, 1:].tolist()]) == [other]


def test_pairs_that_are_too_long_are_left_out(build) -> None:
    source = build("pairs", max_length=12, vocab_size=400)
    assert sum(source.sizes.values()) < 60
    assert any("pairs are longer than 12 tokens and are left out" in note for note in source.notes)
    for split in SPLITS:
        for batch in source.split(split, 9):
            assert max(part.shape[1] for part in (batch.inputs[0], batch.targets)) <= 12
    with pytest.raises(InputError, match=r"data\.max_length: no training pair fits into 8 tokens"):
        build("pairs", max_length=8)


def test_a_page_gives_its_headings_and_paragraphs() -> None:
    page = """<h1 id="hd_id1" dir="auto">A <b>bold</b> title</h1>
      <p id="par_id2" class="x"><a name="n"></a><span class="avis">One &amp; two<br/>three
         lines.</span></p><p class="y" id="par_id3"><img src="i.svg" alt="Icon"></p>
      <p id="other">No</p><p id="par_id2" class="x">Again</p><pre id="par_id9">code</pre>"""
    assert texts_of_page(page) == {"hd_id1": "A bold title", "par_id2": "One & two three lines."}


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", FETCHED)
def test_files_that_are_here_need_no_network(name, build, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not any("fetched" in note for note in build(name).notes)


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", FETCHED)
def test_without_its_client_a_source_says_what_to_do(name, fields, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    config = DATA.parse({"name": name, **fields[name]}, "data")
    with pytest.raises(InputError, match=r"(pip3|apt-get) is not on this machine's PATH"):
        config.build(0, tmp_path / "fresh")
    assert not list((tmp_path / "fresh" / name).iterdir())


# What pip and apt-get say without a network, or without apt-get update.
NO_NETWORK = "ConnectionError|No matching distribution|Failed to fetch|Unable to locate|has not fetched|NewConnection"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("reviews", {"train": 17_432, "validation": 3_735, "test": 3_735}),
        ("bbc", {"train": 1_486, "validation": 319, "test": 319}),
        ("ner", {"train": 1_676, "validation": 359, "test": 359}),
        ("stsb", {"train": 5_749, "validation": 1_500, "test": 1_379}),
        ("libreoffice_help", {"train": 12_467, "validation": 770, "test": 695}),
    ],
)
def test_the_real_files(name, sizes, tmp_path) -> None:
    import re

    try:
        source = DATA.parse(name, "data").build(0, tmp_path)
    except InputError as error:
        if not re.search(NO_NETWORK, str(error)):
            raise
        pytest.skip(str(error))
    assert source.sizes == sizes
    assert source.notes[0].endswith(f"fetched into {tmp_path / name}") or "fetched into" in source.notes[0]


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes, name: str = "own.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def own(name: str, **fields) -> PaddedSource:
    return DATA.parse({"name": name, "vocab_size": 300, **fields}, "data").build(0, Path("/nowhere"))


CSV = "text,label\n" + "".join(f"{sentence(i)},{'ab'[i % 2]}\n" for i in range(20))


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (CSV, {"text": "body"}, "data.text: .*own.csv has no column 'body'; one of label, text"),
        (CSV, {"label": "lable"}, "data.label: .*no column 'lable'; did you mean 'label'"),
        (CSV, {"label": "text"}, "data.label: 'text' is the column of the texts"),
        ("", {}, "own.csv: the file is empty"),
        ("text,label\n", {}, "own.csv: a header and no rows"),
        (CSV + "x,y,z\n", {}, "own.csv: row 22 has 3 values, and the header names 2 columns"),
        (CSV + "x,\n", {}, r"own.csv: row 22 has no 'label' \(1 such row\)"),
        (CSV + "x,c\n", {}, "own.csv: class 'c' of 'label' has only 1"),
        (CSV.replace(",b\n", ",a\n"), {}, "there is nothing to learn"),
        (CSV.encode() + b"caf\xe9\xff,a\n", {}, "own.csv: row 22 is not UTF-8 text"),
        ("text,label\n,a\n,b\n", {}, "own.csv: no row has a text in 'text'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(content, fields, says, file) -> None:
    with pytest.raises(InputError, match=says) as caught:
        own("labelled_text", path=file(content), **fields)
    assert "\n" not in str(caught.value)


def test_a_test_file_of_its_own_and_a_class_that_only_it_has(file) -> None:
    path, test = file(CSV), file("text,label\nnew words,b\nothers,a\n", "test.csv")
    source = own("labelled_text", path=path, test_path=test)
    assert source.sizes == {"train": 17, "validation": 3, "test": 2}
    assert source.raw("test", [0, 1]) == ["new words", "others"]
    assert torch.cat([batch.targets for batch in source.split("test", 9)]).tolist() == [1, 0]
    assert set(source.files) == {path, test}
    file("text,label\nnew words,b\nothers,c\n", "test.csv")
    with pytest.raises(InputError, match=r"test\.csv: row 3: 'c' is a class that only the test split has"):
        own("labelled_text", path=path, test_path=test)


def test_copies_of_a_text_are_in_one_split(file) -> None:
    twice = "".join(f"{sentence(i)},a\n{sentence(i)} ,a\nother {i},b\n" for i in range(20))
    source = own("labelled_text", path=file("text,label\n" + twice), validation=0.3, test=0.3)
    parts = {name: set(texts) for name, texts in raw(source).items()}
    assert not parts["train"] & parts["test"]
    assert any("copies" in note for note in source.notes)


@pytest.mark.parametrize("split", [False, True])
def test_a_folder_of_texts(split, tmp_path) -> None:
    roots = [tmp_path / "set" / part for part in (("train", "test") if split else ("",))]
    for number, root in enumerate(roots):
        for k, name in enumerate(("좋다", "나쁘다")):
            (root / name).mkdir(parents=True)
            for i in range(8):
                (root / name / f"{i}.txt").write_text(f"{sentence(100 * number + 10 * k + i)}\n", encoding="utf-8")
    (roots[0] / "좋다" / "notes.md").write_text("x")
    (roots[0] / "좋다" / "empty.txt").write_text(" \n")
    source = own("labelled_text", path=str(tmp_path / "set"))
    assert source.spec.class_names == ("나쁘다", "좋다")
    assert sum(source.sizes.values()) == 16 * len(roots)
    assert "1 empty files left out" in source.notes
    assert "1 files that are not .txt left out" in source.notes
    if split:
        assert source.sizes["test"] == 16
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: no folders with \.txt files in it"):
        own("labelled_text", path=str(tmp_path / "none"))


def test_tagged_files_in_three_splits_and_a_tag_that_training_never_saw(file) -> None:
    def words(start: int, count: int, tag: str) -> str:
        return "".join(f"{sentence(start).replace(' ', ' O' + chr(10))} O\nSeoul{i} {tag}\n\n" for i in range(count))

    path = file(words(0, 5, "I-LOC"), "train.conll")
    validation, test = file(words(1, 2, "I-LOC"), "dev.conll"), file(words(2, 3, "I-LOC"), "test.conll")
    source = own("tagged_text", path=path, validation_path=validation, test_path=test)
    assert source.sizes == {"train": 5, "validation": 2, "test": 3}
    assert source.spec.tag_names == ("O", "B-LOC", "I-LOC")  # IOB1 became IOB2
    assert any("entities: train 5, validation 2, test 3" in note for note in source.notes)
    assert own("tagged_text", path=path, test_path=test, validation=0.2).sizes["test"] == 3
    file(words(2, 3, "B-PER"), "test.conll")
    with pytest.raises(InputError, match=r"test\.conll: the tag 'B-PER' is only in the test split"):
        own("tagged_text", path=path, validation_path=validation, test_path=test)
    with pytest.raises(InputError, match=r"data\.validation_path: give data\.test_path, too"):
        own("tagged_text", path=path, validation_path=validation)


def test_words_beyond_the_longest_text_are_counted(file) -> None:
    text = "".join(f"word{i} O\n" * 20 + f"end{i} B-X\n\n" for i in range(9))
    source = own("tagged_text", path=file(text, "long.conll"), max_length=16)
    assert any("words of train texts stand beyond 16 tokens" in note for note in source.notes)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a b\n", "own.tsv: line 1 has 1 column, tabs between; expected a text and its translation, or two sentences"),
        ("a\tb\tc\td\n", "own.tsv: line 1 has 4 columns"),
        ("a\tb\nc\td\te\n", "own.tsv: line 2 has 3 columns, and line 1 has 2"),
        ("a\tb\t1\nc\td\tx\n", "own.tsv: line 2: 'x' is not a number"),
        ("\n\n", "own.tsv: the file is empty"),
        ("a\t\n\tb\n", "own.tsv: no pairs in it"),
    ],
)
def test_pairs_that_cannot_be_used_are_refused_in_one_line(content, says, file) -> None:
    with pytest.raises(InputError, match=says) as caught:
        own("pairs", path=file(content, "own.tsv"))
    assert "\n" not in str(caught.value)


def test_three_columns_are_pairs_with_a_number(file) -> None:
    lines = ["first\tsecond\thow alike", *(f"{sentence(i)}\t{sentence(i + 1)}\t{i % 6}.5" for i in range(30))]
    source = own("pairs", path=file("\r\n".join(lines), "own.tsv"), score="alike")
    assert source.spec.task == "sentence_pairs"
    assert source.spec.target_names == ("alike",)
    assert sum(source.sizes.values()) == 30
    assert "line 1 is a header: first, second, how alike" in source.notes
    same = "\n".join(f"{sentence(i)}\tb\t1" for i in range(9))
    with pytest.raises(InputError, match="'score' is 1 in every training pair; nothing to learn"):
        own("pairs", path=file(same, "own.tsv"))
