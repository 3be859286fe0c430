"""Whether the first line of a file of pairs names its two columns: `english<TAB>korean`, `source<TAB>target`.

It does where both are names of columns or of languages, and of two: `Korean<TAB>한국어` is a word and its translation,
of a dictionary. Codes such as `en` count only where the recipe gives them, for `it` and `es` are words too.

Checked by: headers and pairs of words side by side.
"""

from collections.abc import Sequence

_LANGUAGES = {
    "arabic": ("아랍어", "العربية"),
    "chinese": ("중국어", "中文"),
    "czech": ("체코어", "čeština"),
    "dutch": ("네덜란드어", "nederlands"),
    "english": ("영어", "englisch", "anglais"),
    "french": ("프랑스어", "불어", "français", "französisch"),
    "german": ("독일어", "deutsch", "allemand"),
    "hindi": ("힌디어", "हिन्दी"),
    "indonesian": ("인도네시아어", "bahasa"),
    "italian": ("이탈리아어", "italiano", "italienisch"),
    "japanese": ("일본어", "日本語"),
    "korean": ("한국어", "한글", "koreanisch", "coréen"),
    "polish": ("폴란드어", "polski"),
    "portuguese": ("포르투갈어", "português"),
    "russian": ("러시아어", "русский"),
    "spanish": ("스페인어", "español", "spanisch", "espagnol"),
    "thai": ("태국어", "ไทย"),
    "turkish": ("터키어", "türkçe"),
    "vietnamese": ("베트남어", "tiếng việt"),
}
_COLUMNS = {
    "source": ("src", "text", "original", "input", "sentence", "sentence1", "text1", "원문", "입력", "문장1"),
    "target": (
        "tgt",
        "trg",
        "translation",
        "translated",
        "output",
        "sentence2",
        "text2",
        "번역",
        "번역문",
        "출력",
        "문장2",
    ),
}
_MEANT = {name: meant for meant, names in {**_LANGUAGES, **_COLUMNS}.items() for name in (meant, *names)}


def names_columns(cells: Sequence[str], languages: Sequence[str]) -> bool:
    """Return whether a line's two cells are names and no texts.

    Args:
        cells: the two.
        languages: codes that the recipe gives to the two columns, such as ("en", "ko").
    """
    words = [cell.casefold() for cell in cells]
    if words == [code.casefold() for code in languages]:
        return words[0] != words[1]
    meant = [_MEANT.get(word) for word in words]
    return None not in meant and meant[0] != meant[1]


def may_name_columns(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Return whether a line is of single words, such as `eng_text`, where most others are of several."""
    single = all(cell.replace("_", "").replace("-", "").isalnum() for cell in cells)
    several = sum(any(len(cell.split()) > 2 for cell in row) for row in others)
    return single and 2 * several > len(others)
