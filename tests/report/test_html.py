from __future__ import annotations

import re

from mfbench.report import html, markdown
from mfbench.report.document import Bullets, Code, Column, Details, Note, Page, Section, Table, Text, Value


def page(*blocks: Text | Note | Bullets | Code | Table | Details) -> Page:
    return Page("A <title>", "lede", (("key", "value & more"),), (Section("one", "One", blocks),), ())


def test_texts_are_escaped_and_marked() -> None:
    text = html.render(page(Text("`a<b` and **strong** <script>alert(1)</script>"), Code("x < y")))
    assert "<code>a&lt;b</code> and <strong>strong</strong> &lt;script&gt;" in text
    assert "<pre><code>x &lt; y</code></pre>" in text
    assert "<title>A &lt;title&gt;</title>" in text
    assert "value &amp; more" in text


def test_tables_mark_the_best() -> None:
    rows = ((Value("a", colour="#123456"), Value("1.0", "[0.9, 1.1]", best=True, top=True)),)
    table = Table((Column("m", numeric=False), Column("q ↓", "ms", "hint")), (("4 steps", rows),))
    text = html.render(page(table))
    assert '<td class="best top">1.0<small>[0.9, 1.1]</small></td>' in text
    assert '<tr class=group><th colspan="2"><span>4 steps</span></th></tr>' in text
    assert 'title="hint"' in text
    plain = markdown.render(page(table))
    assert "|  | m | q ↓ ms |" in plain
    assert "| 4 steps | a | **1.0** [0.9, 1.1] |" in plain


ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:1) `a\nb` \\"


def test_markdown_is_escaped_as_the_page_is() -> None:
    table = Table(
        (Column(ATTACK, ATTACK, numeric=False),), ((ATTACK, ((Value(ATTACK, ATTACK, best=True),),)),)
    )
    blocks = (Text(ATTACK), Note(ATTACK), Bullets((ATTACK,)), table, Details(ATTACK, (Text(ATTACK),)))
    hostile = Page(ATTACK, ATTACK, ((ATTACK, ATTACK),), (Section("one", ATTACK, blocks),), ())
    plain = markdown.render(hostile)
    code = re.sub(r"`[^`\n]*`", "", plain)
    assert "<script" not in code
    assert "<img" not in code
    assert not re.search(r"(?<!\\)\[x\]\(", code)
    tags = set(re.findall(r"<[^>]*>", code))
    assert tags == {"<details>", "</details>", "<summary>", "</summary>"}
    assert len([line for line in plain.splitlines() if line.startswith("|")]) == 6  # no row is split


def test_a_traceback_does_not_leave_its_block() -> None:
    plain = markdown.render(page(Code("x\n```\n<script>\n````\ny")))
    assert "`````\nx\n```\n<script>\n````\ny\n`````" in plain


def test_numbers_and_marks_read_as_before() -> None:
    plain = markdown.render(page(Text("**bold** `a < b` p < 0.001, 5 % [0.1, 0.2] & more")))
    assert "**bold** `a < b` p &lt; 0.001, 5 % [0.1, 0.2] &amp; more" in plain


def test_markdown_of_every_text_block() -> None:
    plain = markdown.render(page(Note("n"), Bullets(("x", "y")), Code("c"), Details("more", (Text("t"),))))
    assert "> n\n" in plain
    assert "- x\n- y\n" in plain
    assert "```\nc\n```" in plain
    assert "<details><summary>more</summary>\n\nt\n\n</details>" in plain
