"""Letters as Word files, whatever the words in them hold."""

from __future__ import annotations

import io
import zipfile

from crm.analysis.letters import LetterText, Section, letter_docx


def test_no_sign_in_a_name_keeps_a_letter_from_being_made() -> None:
    bad = 'A\uffff<b>&"\x01\ud800\u202e;\r=1'
    content = letter_docx(
        LetterText(bad, bad, (bad,), (Section(bad, (bad,), ((bad,), (bad,))),), (bad,))
    )
    body = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
    assert body.count("A&lt;b&gt;&amp;&quot;;") + body.count('A&lt;b&gt;&amp;";') == 7
