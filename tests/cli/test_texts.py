"""Texts are predicted and tagged from the command line, from files and from stdin."""

import io
import json
import sys

import pytest
from whole_texts import sentence, tagged

from fourfold.cli import main

SMALL = "{name: lstm, width: 8}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    place = tmp_path_factory.mktemp("글")
    rows = "".join(f"{sentence(i)},{'좋다' if i % 2 else '나쁘다'}\n" for i in range(40))
    (place / "reviews.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    (place / "words.conll").write_bytes(tagged())
    pairs = "".join(f"{sentence(i)}\t{sentence(i + 1)}\t{i % 5}\n" for i in range(40))
    (place / "scored.tsv").write_text(pairs, encoding="utf-8")
    sources = {
        "reviews": ("labelled_text", "reviews.csv"),
        "words": ("tagged_text", "words.conll"),
        "scored": ("pairs", "scored.tsv"),
    }
    for name, (data, file) in sources.items():
        (place / f"{name}.yaml").write_text(
            f"title: {name}\ndata: {{name: {data}, path: {place / file}, vocab_size: 400}}\nmodel: {SMALL}\n"
            "loss: usual\nalgorithm: supervised\nbudget: {steps: 2, batch_size: 8}\n",
            encoding="utf-8",
        )
        assert main(["run", str(place / f"{name}.yaml"), "--workspace", str(place), "--quiet"]) == 0
    return place


@pytest.fixture
def ask(workspace, capsys):
    def answer(command: str, run: str, *arguments: object, code: int = 0) -> dict:
        found = main([command, run, *map(str, arguments), "--workspace", str(workspace), "--json"])
        out, err = capsys.readouterr()
        assert found == code, err
        return json.loads(out.splitlines()[-1])

    return answer


@pytest.fixture
def refuse(workspace, capsys):
    def complaint(command: str, run: str, *arguments: object) -> str:
        assert main([command, run, *map(str, arguments), "--workspace", str(workspace)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err[:7]) == ("", 1, "error: ")
        return err[7:-1]

    return complaint


@pytest.fixture
def stdin(monkeypatch):
    def holds(text: str) -> str:
        class Standard:
            buffer = io.BytesIO(text.encode())

        monkeypatch.setattr(sys, "stdin", Standard)
        return "-"

    return holds


TEXTS = [sentence(3), sentence(8), "새로운 영화"]


def test_texts_are_predicted_alike_from_everywhere(ask, stdin, tmp_path) -> None:
    expected = ask("predict", "reviews-1", *TEXTS)["predictions"]
    assert [row["text"] for row in expected] == TEXTS
    assert {row["class"] for row in expected} <= {"좋다", "나쁘다"}
    wanted = [row["probabilities"] for row in expected]
    lines, table = "\n".join(TEXTS), "\n".join(["text,label", *(f"{text},좋다" for text in TEXTS)])
    files = {"a.csv": table, "a.txt": lines, "a.json": json.dumps(TEXTS), "b.tsv": f"text\n{lines}"}
    files["b.jsonl"] = "\n".join(json.dumps({"text": text}) for text in TEXTS)
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        found = ask("predict", "reviews-1", tmp_path / name)["predictions"]
        for row, probabilities in zip(found, wanted, strict=True):
            assert row["probabilities"] == pytest.approx(probabilities, abs=1e-6), name
    for content in (lines, table, json.dumps([{"text": text} for text in TEXTS])):
        found = ask("predict", "reviews-1", stdin(content))["predictions"]
        assert [row["probabilities"] for row in found] == [pytest.approx(each, abs=1e-6) for each in wanted]
    (row,) = ask("predict", "reviews-1", f"text={TEXTS[0]}")["predictions"]
    assert row["probabilities"] == pytest.approx(wanted[0], abs=1e-6)
    (row,) = ask("predict", "reviews-1", "--row", json.dumps({"text": TEXTS[0]}))["predictions"]
    assert row["probabilities"] == pytest.approx(wanted[0], abs=1e-6)


def test_rows_are_the_lines_of_a_file(workspace, stdin, capsys) -> None:
    assert main(["predict", "reviews-1", stdin(f"{TEXTS[0]}\n\n{TEXTS[1]}\n"), "--workspace", str(workspace)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["row", "1", "3"]


def test_people_get_a_table(workspace, capsys) -> None:
    assert main(["predict", "reviews-1", "short", "long " * 50, "--workspace", str(workspace)]) == 0
    out = capsys.readouterr().out
    assert out.split()[:2] == ["row", "text"]
    assert "short" in out
    assert "…" in out
    assert len(out.splitlines()) == 3


def test_pairs_are_two_texts(ask, refuse, stdin) -> None:
    if_one = ask("predict", "scored-1", TEXTS[0], TEXTS[1])["predictions"]
    assert ask("predict", "scored-1", stdin(f"{TEXTS[0]}\t{TEXTS[1]}\n"))["predictions"] == if_one
    rows = json.dumps([{"sentence1": TEXTS[0], "sentence2": TEXTS[1]}])
    assert ask("predict", "scored-1", stdin(rows))["predictions"] == if_one
    named = ask("predict", "scored-1", f"sentence1={TEXTS[0]}", f"sentence2={TEXTS[1]}")["predictions"]
    assert named == if_one
    assert isinstance(if_one[0]["score"], float)
    assert "texts come in pairs, sentence1 and sentence2" in refuse("predict", "scored-1", *TEXTS)


def test_words_are_tagged_alike_from_everywhere(ask, stdin, tmp_path) -> None:
    text = "Kim flew to Seoul."
    (expected,) = ask("tag", "words-1", text)["texts"]
    assert expected["words"] == ["Kim", "flew", "to", "Seoul", "."]
    assert set(expected["tags"]) <= {"O", "B-person", "I-person", "B-geo-loc", "I-geo-loc"}
    assert all(0 < share <= 1 for share in expected["probabilities"])
    for entity in expected["entities"]:
        assert entity["text"] == " ".join(expected["words"][entity["first"] : entity["last"] + 1])
    (tmp_path / "letters.txt").write_text(f"{text}\n{text}\n", encoding="utf-8")
    for found in (ask("tag", "words-1", tmp_path / "letters.txt"), ask("tag", "words-1", stdin(f"{text}\n{text}"))):
        assert [each["tags"] for each in found["texts"]] == [expected["tags"]] * 2
    with_gap = ask("tag", "words-1", stdin(f"{text}\n \n{text}"))["texts"]
    assert [each["tags"] for each in with_gap] == [expected["tags"], [], expected["tags"]]


def test_people_get_words_with_their_tags(workspace, capsys, monkeypatch) -> None:
    from fourfold.run import tag
    from fourfold.run.tag import Tagged, TaggedText

    words = ["Kim", "Lee", "flew", "[home]"]
    answer = Tagged([TaggedText(words, ["B-person", "I-person", "O", "O"], [1.0] * 4)], [])
    monkeypatch.setattr(tag, "tag", lambda run, texts: answer)
    assert main(["tag", "words-1", "x", "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().out == "[Kim Lee person] flew [home]\n"


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ([["O", "O"]], "nothing found in this text: every word is tagged O\n"),
        ([["O", "O"], ["B-person", "O"], ["O", "O"]], "nothing found in 2 of 3 texts: every word is tagged O\n"),
        ([["B-person", "O"]], ""),
    ],
)
def test_where_nothing_is_found_it_says_so(tags, says, workspace, capsys, monkeypatch) -> None:
    from fourfold.run import tag
    from fourfold.run.tag import Tagged, TaggedText

    answer = Tagged([TaggedText(["Kim", "flew"], each, [1.0] * 2) for each in tags], [])
    monkeypatch.setattr(tag, "tag", lambda run, texts: answer)
    command = ["tag", "words-1", "x", "--workspace", str(workspace)]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["[Kim person] flew" if "B-person" in each else "Kim flew" for each in tags]
    assert err == says
    assert main([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (err, told["notes"]) == ("", [])
    assert [bool(each["entities"]) for each in told["texts"]] == ["B-person" in each for each in tags]


def test_a_text_that_is_too_long_has_no_tags_at_its_end(ask) -> None:
    answer = ask("tag", "words-1", "word " * 400)
    (text,) = answer["texts"]
    assert len(text["words"]) == len(text["tags"]) == 400
    assert text["tags"][-1] == "O"
    assert text["probabilities"][-1] == 0
    assert "beyond 256 tokens" in answer["notes"][0]


@pytest.mark.parametrize(
    ("command", "run", "arguments", "says"),
    [
        ("predict", "reviews-1", [], "nothing to predict: give a text in quotes"),
        ("predict", "reviews-1", ["none.csv"], "none.csv: no such file"),
        ("predict", "reviews-1", ["none.txt", "x"], "'x': one file at a time"),
        ("predict", "reviews-1", ["text=a", "b"], "'b': give texts, a file, text=TEXT or --row, one of them"),
        ("predict", "words-1", ["a"], "words-1: of this run ask fourfold tag"),
        ("tag", "words-1", [], "nothing to tag: give a text in quotes"),
        ("tag", "words-1", ["none.txt"], "none.txt: no such file"),
        ("tag", "words-1", ["."], ".: a folder, not a file; give a text in quotes, a file of texts, a line each, or -"),
        ("tag", "words-1", ["Kim flew.", ".."], "..: a folder, not a file; give a text in quotes"),
        ("predict", "reviews-1", ["."], ".: a folder, not a file; give a text in quotes"),
        ("tag", "reviews-1", ["a"], "reviews-1: this run does not tag words; its data pose text classification"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(command, run, arguments, says, refuse) -> None:
    assert says in refuse(command, run, *arguments)


@pytest.mark.parametrize("blank", ["", " \t", "\u3000"])
def test_an_empty_text_is_refused_from_everywhere(blank, refuse, stdin, tmp_path) -> None:
    for command, run in (("tag", "words-1"), ("predict", "reviews-1")):
        assert refuse(command, run, blank).startswith(f"{blank!r}: empty text; give a text in quotes, a file of texts")
        assert refuse(command, run, "Kim flew.", blank).startswith(f"{blank!r}: empty text; ")
        assert refuse(command, run, stdin(f"{blank}\n")) == "stdin: empty text"
    for given in ([f"text={blank}"], ["--row", json.dumps({"text": blank})]):
        assert refuse("predict", "reviews-1", *given).startswith(f"{blank!r}: empty text; ")
    (tmp_path / "some.json").write_text(json.dumps(["good", blank]), encoding="utf-8")
    assert refuse("predict", "reviews-1", tmp_path / "some.json").startswith(f"{blank!r}: empty text; ")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "the file is empty"), (b"a\xe9\xff\xff\n", "is not UTF-8 text"), (b'{"txt": "a"}', "did you mean 'text'")],
)
def test_a_file_that_cannot_be_read_is_named(content, says, refuse, tmp_path) -> None:
    (tmp_path / "some.txt").write_bytes(content)
    assert says in refuse("predict", "reviews-1", tmp_path / "some.txt")
