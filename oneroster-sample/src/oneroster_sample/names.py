"""Fictional names, composed of syllables of several scripts."""

# ruff: noqa: RUF001 - letters of other scripts are what this file is about

from __future__ import annotations

from functools import cache
from itertools import product
from typing import NamedTuple

from .dice import mix, pick, salt


class Name(NamedTuple):
    """The names of one person; kana readings only if the script has them."""

    given: str
    family: str
    middle: str | None
    kana_given: str | None
    kana_family: str | None


class _Script(NamedTuple):
    starts: str
    ends: str
    family_ends: str
    title: bool = True


# Syllables, not names, so that the composed names belong to nobody.
_LATIN = _Script(
    "ba bel cor da del fen gil ha jo ka lo mar nel or pa quin ro sel tam vor wil zan",
    "bin da dro fel la lin mo na nor ra rin sa ta vin wyn ya",
    "bury combe dale fort gate holm ker land mere ner rick sley ton vane worth",
)
_ACCENTED = _Script(
    "ál bö çel dří él fløn gør hå ím jö kač łu mê ñan ør pří rö ší tů úl ža",
    "bín dê fön lía møn na né rø sę tě ván",
    "ček döttir ès gård ić ková ñez øy ší ßen úlf",
)
_CYRILLIC = _Script(
    "ба вел гор дав жел зор кал лен мир нев ор раз сев тим",
    "бор ва дан ка лин мир на рад",
    "бич губ дец енко лов мин ский ха",
)
_GREEK = _Script("αλ βε γα δη εμ ζη θε ιλ κα λυ μη νε ξα ορ", "δος θη κος λια μων να ρις σα", "άκη ίδης όγλου ούσα ώτη")
_KANA = _Script(
    "アカ イサ ウミ エナ カゼ キリ コト サワ シオ タマ ツキ ナミ",
    "オ カ コ ノ マ ミ リ",
    "ガワ サキ ノベ ムラ ヤマ",
    title=False,
)
_HANGUL = _Script("가 나 다 라 마 바 사 아 자 차 하", "람 림 봄 빛 솔 온 율 찬", "곡 담 벌 산", title=False)
_DEVANAGARI = _Script("अव ईश कम चर तर नव पर भव मन रव वर सर", "ना नी मा रा ला वी", "कर ताल देश पाल वार", title=False)
_ARABIC = _Script("بد تل جم حس دل رف سم صف طل غد قم نج", "ار ان ور يل ين", "اوي دين ري وني", title=False)
_HAN = _Script("云 江 林 青 石 雪 松 夏 竹 兰", "川 风 明 山 语 舟", "原 湖 岭 桥", title=False)

# One script for each of 16 draws: most names are plain, but every run contains the others too.
_SCRIPTS = (*[_LATIN] * 7, *[_ACCENTED] * 2, _CYRILLIC, _GREEK, _KANA, _HANGUL, _DEVANAGARI, _ARABIC, _HAN)
_GIVEN, _FAMILY = salt("given"), salt("family")


@cache
def _words(starts: str, ends: str, *, title: bool) -> tuple[str, ...]:
    words = [start + end for start, end in product(starts.split(), ends.split())]
    return tuple(word.capitalize() if title else word for word in words)


def person_name(person: int, household: int) -> Name:
    """Return the name of a person; people of one household share the family name and its script."""
    script = pick(_SCRIPTS, household)
    draw = mix(person, _GIVEN)
    given_names = _words(script.starts, script.ends, title=script.title)
    given = pick(given_names, draw)
    middle = pick(given_names, draw >> 24) if draw >> 16 & 3 == 0 else None
    draw = mix(household, _FAMILY)
    family_names = _words(script.starts, script.family_ends, title=script.title)
    family = pick(family_names, draw)
    if script is _LATIN:
        form = draw >> 20 & 31
        if form == 0:
            family = f"O'{family}"
        elif form == 1:
            family = f"{family}-{pick(family_names, draw >> 32)}"
        elif form == 2:
            family = f"de la {family}"
    kana = (given, family) if script is _KANA else (None, None)
    return Name(given, family, middle, *kana)
