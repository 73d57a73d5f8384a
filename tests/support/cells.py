"""Cells that files hold, plain and odd, for the property tests of the readers."""

from __future__ import annotations

from hypothesis import strategies as st
from tap_oneroster._core.model import FILES

ODD = [
    *('say "hi"', '"', "a,b", ",", " ", "\u00a0", "NULL", "null", "\\", "\\n", "a\\", "\t", "\x1e", "\x1f", "\x7f"),
    *(" NULL", "a ", " b", "\u00a0c", "d\u2003", "\ufeff", "\ufeffe", "à", "\0"),
    *("é", "Ωλ", "漢字", "😀", "\u2028", "a\nb", "a\r\nb", "{", "}", "x" * 200),
]
WORDS = [
    *("true", "FALSE", "1", "yes", "active", "tobedeleted", "Deleted", "inactive", "student", "ext:coach", "nobody"),
    *("2026-08-17", "17.08.2026", "01/02/2026", "2026-08-17T01:02:03.000Z", "2026-08-17 01:02", "2026", "2025-26"),
    *("a,b", "a, b", ",a", "09,10,", "{a:b}", "{a:b},{c:d}", "{a:b:c}", "{a}", "{:x},{y:}", '{ä:ö},{c:say ""}', "a:b"),
    *("0.5", "0,5", "1e3", "-0", "12", "Student", "SCHOOL", "Scheduled", " term ", "Primary", "Active", "null"),
    *("a,NULL", "NULL,NULL", " a , b", "a ,b", '["a","b"]', '{a,"b c",NULL}', "{:x}", "{a:},{b:c}", "{a:b},NULL"),
    *("2024-10-01Z", "2024-10-01T10:00:00.547+00:00Z", "2025-05-01 12:00:00+00", "2025-05-01T14:00:00.000000+02:00"),
]
CELL = st.one_of(st.just(""), st.sampled_from(WORDS), st.sampled_from(ODD), st.text(max_size=4))
# What an XML-born text may hold: all but control characters.
PLAIN = st.one_of(
    st.just(""), st.sampled_from(WORDS), st.sampled_from([o for o in ODD if not set(o) & {*map(chr, range(32))}])
)
CSV = [f for f in FILES if f.csv]
IDS = ["a", "007", "é\\", "x,y", '"q"', " b ", "b   ", "\u00a0b", "\ufeffb", "à", "aNULL"]
