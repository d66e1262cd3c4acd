"""Characters that look like others: the table by which a text is folded.

Compatibility forms (full width, mathematical, circled) and accents are Unicode's own business and
not listed. By the letter that is meant: Cyrillic, Greek, Armenian, Cherokee, phonetic letters,
small capitals, and Latin letters that do not decompose.
"""

_LATIN = "abcdefghijklmnopqrstuvwxyz"

_BY_LETTER = {
    "a": "аαɑɐᴀ",
    "b": "вβƀƃɓʙ",
    "c": "сϲƈᴄ",
    "d": "ԁđɖɗᴅᎠ",
    "e": "еєҽɘəɛεᴇǝ",
    "f": "ƒꜰғ",
    "g": "ɠɡɢǥ",
    "h": "нһհħɦʜ",
    "i": "іɨɩɪıιӏ",
    "j": "јϳɉʝᴊ",
    "k": "кκқƙᴋ",
    "l": "łɫɭʟ",
    "m": "мɱᴍ",
    "n": "пոηɲɳŋɴ",
    "o": "оοօøɵɔσᴏө",
    "p": "рρƥᴘ",
    "q": "ԛզʠ",
    "r": "гɍɾɼʀ",
    "s": "ѕʂꜱ",
    "t": "тτŧƭʈᴛ",
    "u": "υսʉʊᴜ",
    "v": "ѵνʋʌᴠ",
    "w": "ԝωɯʍᴡա",
    "x": "хχҳ",
    "y": "уүγƴɏʏ",
    "z": "ƶʐʒᴢ",
}

# Alphabets that Unicode keeps in order: negative circled, negative squared, regional indicators.
_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)

INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180e\u2800")
"""Characters that show nothing, though Unicode takes them for letters or signs."""


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for letter, strange in _BY_LETTER.items():
        table.update(dict.fromkeys(strange, letter))
    for first in _ALPHABETS:
        table.update({chr(first + place): letter for place, letter in enumerate(_LATIN)})
    return table


LOOK_ALIKES = _table()

LEET = {
    "0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b",
    "9": "g", "@": "a", "$": "s", "!": "i", "|": "i", "l": "i",
}  # fmt: skip
"""Digits and signs that are read as letters. `i`, `l`, `1`, `!` and `|` are one letter."""

SIGNS = frozenset("@$!|")
"""Read as letters, but mere punctuation where a word begins or ends."""
