import math
from itertools import chain, pairwise

import pytest
import torch

from fourfold.data.text.sentence_pairs import Rows, Stretches, sentences_of
from fourfold.tasks.masked_language_modelling import NEXT, RANDOM
from fourfold.tasks.tokens import IGNORED

CLS, SEP = 2, 3
# Token 100 d + s stands in sentence s of document d as often as the sentence is long.
LENGTHS = [[3, 2, 4, 1, 5], [2, 2], [6], [1, 1, 1, 1, 1, 1, 1, 1], [30, 1]]
DOCUMENTS = [[[100 * (d + 1) + s] * length for s, length in enumerate(lengths)] for d, lengths in enumerate(LENGTHS)]


def stretches(room: int = 8) -> Stretches:
    return Stretches([*DOCUMENTS[:2], [[], []], *DOCUMENTS[2:]], room, CLS, SEP)


def parts(rows: Rows, row: int) -> tuple[list[int], list[int]]:
    """Return the two texts of a row, after a look at what stands between them and at their segments."""
    tokens = rows.tokens[row, : rows.lengths[row]].tolist()
    assert not rows.tokens[row, rows.lengths[row] :].any()
    assert tokens[0] == CLS
    first = tokens.index(SEP)
    assert rows.segments[row].tolist() == [int(first < place < len(tokens)) for place in range(rows.tokens.shape[1])]
    if first == len(tokens) - 1:
        return tokens[1:first], []
    assert tokens[-1] == SEP
    assert tokens.count(SEP) == 2
    return tokens[1:first], tokens[first + 1 : -1]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_sentences() -> None:
    text = 'He said "No." Then he left…  Why?\nNobody knows\n\n3.5 km! 그는 갔다. 왜? '
    assert sentences_of(text) == [
        'He said "No."',
        "Then he left…",
        "Why?",
        "Nobody knows",
        "3.5 km!",
        "그는 갔다.",
        "왜?",
    ]
    assert sentences_of(" \n ") == []


def test_stretches_hold_whole_sentences_in_order_and_every_token_once() -> None:
    cut = stretches(8)
    assert cut.num_documents == len(DOCUMENTS)
    rows = Stretches(DOCUMENTS, 60, CLS, SEP)
    assert len(rows) == len(DOCUMENTS)  # a document is never joined to another
    whole = [parts(rows.texts(torch.arange(5), generator(0)), row)[0] for row in range(5)]
    assert whole == [list(chain(*document)) for document in DOCUMENTS]
    bounds = cut._stretches.tolist()
    starts = [sum(map(sum, LENGTHS[:d])) for d in range(len(LENGTHS))]
    assert [(int(cut._starts[first]), int(cut._starts[last])) for _, first, last in bounds] == [
        (0, 9),  # 3 + 2 + 4
        (9, 15),
        (15, 19),
        (19, 25),
        (25, 33),
        (33, 63),
        (63, 64),
    ]
    assert [document for document, _, _ in bounds] == [0, 0, 1, 2, 3, 4, 4]
    assert starts == [0, 15, 19, 25, 33]


def test_half_of_the_second_texts_follow_and_the_others_are_of_another_document() -> None:
    cut = stretches()
    follows = dict.fromkeys(range(7), 0)
    draws = 2000
    for seed in range(draws // 50):
        members = torch.arange(7).repeat(50)
        rows = cut.pairs(members, generator(seed))
        for row, (member, says) in enumerate(zip(members.tolist(), rows.next_sentence.tolist(), strict=True)):
            a, b = parts(rows, row)
            assert 2 <= min(len(a), len(b)) + 1 <= len(a) + len(b) <= 8
            assert len({token // 100 for token in a}) == len({token // 100 for token in b}) == 1
            assert all(y - x in (0, 1) for text in (a, b) for x, y in pairwise(text))  # in order, nothing left out
            if says == NEXT:
                follows[member] += 1
                assert a[0] // 100 == b[0] // 100
                assert b[0] > a[-1]
            else:
                assert says == RANDOM
                assert a[0] // 100 != b[0] // 100
    of_one_sentence = [3, 5, 6]
    assert all(follows[number] == 0 for number in of_one_sentence)
    for number in set(follows) - set(of_one_sentence):
        assert abs(follows[number] - draws / 2) < 4 * math.sqrt(draws / 4)


def test_where_a_stretch_is_parted_and_where_a_random_text_begins_is_anywhere() -> None:
    cut = stretches(50)
    rows = cut.pairs(torch.zeros(3000, dtype=torch.int64), generator(1))  # 3 + 2 + 4 + 1 + 5 tokens: all fit
    first, begins = [0] * 16, {}
    for row in range(3000):
        a, b = parts(rows, row)
        first[len(a)] += 1
        if rows.next_sentence[row] == RANDOM:
            begins[b[0]] = begins.get(b[0], 0) + 1
        else:
            assert a + b == list(chain(*DOCUMENTS[0]))
    assert [length for length, count in enumerate(first) if count] == [3, 5, 9, 10]
    assert min(count for count in first if count) > 650  # of 750
    assert set(begins) == {token for document in DOCUMENTS[1:] for sentence in document for token in sentence}
    assert abs(begins[300] - 1500 / 4) < 4 * math.sqrt(1500 * 3 / 16)  # each document alike, then each sentence


def test_a_random_text_fills_what_room_is_left_with_whole_sentences() -> None:
    documents = [[[10] * 4, [11] * 4], [[20, 20], [21, 21], [22, 22], [23, 23]]]
    rows = Stretches(documents, 9, CLS, SEP).pairs(torch.zeros(200, dtype=torch.int64), generator(3))
    seen = set()
    for row in range(200):
        a, b = parts(rows, row)
        if rows.next_sentence[row] == RANDOM:
            assert a == [10] * 4  # 5 tokens of room: sentences until there are 5 or more, then one is taken off
            seen.add((b[0], len(b)))
    # From the first two sentences on there are 6 tokens, and one goes; from the third 4, from the last 2.
    assert {length for token, length in seen if token in (20, 21)} == {5}
    assert {(22, 4), (23, 2)} <= seen


def reference(a: int, b: int, room: int) -> tuple[int, int]:
    """Return what is left of two texts, as the authors' truncate_seq_pair."""
    while a + b > room:
        if a > b:
            a -= 1
        else:
            b -= 1
    return a, b


@pytest.mark.parametrize("room", [2, 5, 12])
def test_the_longer_text_loses_tokens_first(room) -> None:
    cut = Stretches(DOCUMENTS, room, CLS, SEP)
    sizes = torch.cartesian_prod(torch.arange(1, 15), torch.arange(1, 15))
    zeros = torch.zeros(len(sizes), dtype=torch.int64)
    (_, a), (_, b) = cut._shortened(zeros, sizes[:, 0], zeros, sizes[:, 1], generator(0))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [
        reference(first, second, room) for first, second in sizes.tolist()
    ]


def test_tokens_go_from_both_ends() -> None:
    cut = Stretches(DOCUMENTS, 10, CLS, SEP)
    zeros = torch.zeros(4000, dtype=torch.int64)
    (a, a_length), (b, _) = cut._shortened(zeros, zeros + 30, zeros, zeros + 4, generator(0))
    assert a_length.eq(6).all()
    assert not b.any()
    assert 0 <= int(a.min()) <= int(a.max()) <= 24
    assert abs(float(a.double().mean()) - 12) < 4 * math.sqrt(6 / 4000)  # of 24, each by a coin
    assert abs(float(a.double().var()) - 6) < 1


def test_single_texts_and_any_part_of_those_too_long() -> None:
    cut = stretches()
    rows = cut.texts(torch.full((400,), 0), generator(0))
    texts = {tuple(parts(rows, row)[0]) for row in range(400)}
    assert texts == {tuple([100] * 3 + [101] * 2 + [102] * 3), tuple([100] * 2 + [101] * 2 + [102] * 4)}
    assert rows.next_sentence.eq(IGNORED).all()
    assert not rows.segments.any()


def test_the_same_draw_gives_the_same_rows() -> None:
    members = torch.arange(7)
    assert torch.equal(stretches().pairs(members, generator(4)).tokens, stretches().pairs(members, generator(4)).tokens)
