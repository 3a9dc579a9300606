"""Strings that try to be something else."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

HOSTILE: Final = [
    '" OR attribute_exists(x)',
    "' OR 1 = 1 --",
    "x) OR (attribute_exists(pk)",
    "a AND b",
    "#n0",
    "#n1 = :v0",
    ":v0",
    ":v",
    "{}",
    "{0}",
    "%s%n",
    "${jndi:ldap://x}",
    "\\",
    "\\u0000",
    '"',
    "'",
    "\0",
    "a\0b",
    "\r\n\t",
    " ",
    "\u2028\u2029\u0085",
    "\u202etxet\u202c",
    "\u2066x\u2069\u200b\u200e\ufeff",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f3fd",
    "\U0010ffff",
    "\uffff\ufffe\ufdd0",
    "\ud7ff\ue000",
    "e\u0301",
    "\u00e9",
    "\u0130\u0131\u00df",
    "#",
    "##",
    "/",
    "//",
    "C#",
    "P#",
    "W#",
    "S#",
    "W#b",
    "O#2026-01-01#a##b",
    "P#a/b",
    "pk",
    "sk",
    "a.b",
    "a[0]",
    "a[-1]",
    "[]",
    "..",
    "__proto__",
    "__class__",
    "size",
    "NULL",
    "null",
    "NaN",
    "0",
    "-0",
    "1e999",
    "2026-01-01",
    "true",
    "x" * 300,
    "\U0001f600" * 200,
    "<script>alert(1)</script>",
    "../../etc/passwd",
]
"""All of them are text that can be stored, as values, keys and names."""

SURROGATES: Final = ["\ud800", "a\udfff", "\ud83d", "\ude00\ud83d", "\ud800\ud800x"]
"""What is no text."""

texts: Final = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(
        st.sampled_from(["#", "/", "##", "P#", "W#", "O#", "a", "b", "2026-01-01", "\0", "\U0010ffff"]), max_size=6
    ).map("".join),
)
"""Any text, often hostile."""

keys: Final = texts.filter(bool)
"""The same where nothing must not be."""
