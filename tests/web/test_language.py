"""The quick look-up of sentences gives what Flask-Babel gives, in every language, at every turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, render_template_string
from flask_babel import force_locale, gettext
from wtforms import SelectField
from wtforms.widgets import Select

from crm.app import create_app
from crm.web import filters
from crm.web.forms import Form, options
from tests.conftest import app_settings

_POLISH = """
msgid ""
msgstr ""
"Language: pl\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\\n"

msgid "Today"
msgstr "Dziś <b>"

msgid "Hello %(name)s"
msgstr "Cześć %(name)s"

msgid "%(num)s talk"
msgid_plural "%(num)s talks"
msgstr[0] "%(num)s rozmowa"
msgstr[1] "%(num)s rozmowy"
msgstr[2] "%(num)s rozmów"
"""


@pytest.fixture
def two_languages(tmp_path: Path) -> Flask:
    """An app whose sentences are there in English and, some of them, in Polish."""
    folder = tmp_path / "words" / "pl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = tmp_path / "pl.po"
    source.write_text(_POLISH, encoding="utf-8")
    with source.open("rb") as po, (folder / "messages.mo").open("wb") as mo:
        write_mo(mo, read_po(po))
    return create_app(
        app_settings(
            f"sqlite:///{tmp_path / 'x.db'}", tmp_path, TRANSLATIONS=str(tmp_path / "words")
        )
    )


def test_sentences_follow_the_language_wherever_it_is_changed(two_languages: Flask) -> None:
    words = (
        "{{ _('Today') }}|{{ _('Hello %(name)s', name=who) }}|"
        "{{ ngettext('%(num)s talk', '%(num)s talks', 5) }}|{{ _('100%% sure') }}"
    )
    english = "Today|Hello &lt;i&gt;|5 talks|100% sure"
    polish = "Dziś <b>|Cześć &lt;i&gt;|5 rozmów|100% sure"
    for _again in range(2):
        with two_languages.test_request_context():
            assert render_template_string(words, who="<i>") == english
            with force_locale("pl"):
                assert render_template_string(words, who="<i>") == polish
                assert gettext("Today") == "Dziś <b>"
                with force_locale("en"):
                    assert gettext("Today") == "Today"
                assert gettext("Hello %(name)s", name="Ewa") == "Cześć Ewa"
            assert render_template_string(words, who="<i>") == english
            assert gettext("Today") == "Today"


def test_a_filter_of_a_constant_speaks_the_language_of_each_reader(two_languages: Flask) -> None:
    filters.add(two_languages, "hailed", lambda name: gettext("Hello %(name)s", name=name))
    page = two_languages.jinja_env.from_string("{{ 'Ewa'|hailed }}")
    with two_languages.test_request_context():
        assert page.render() == "Hello Ewa"
        with force_locale("pl"):
            assert page.render() == "Cześć Ewa"


def test_a_template_that_makes_no_page_escapes_nothing(two_languages: Flask) -> None:
    with two_languages.test_request_context(), force_locale("pl"):
        plain = two_languages.jinja_env.overlay(autoescape=False)
        words = plain.from_string("{{ _('Hello %(name)s', name='<i>') }} {{ _('Today') }}")
        assert words.render() == "Cześć <i> Dziś <b>"


def test_a_list_to_choose_from_is_drawn_as_wtforms_draws_it(two_languages: Flask) -> None:
    class _Choose(Form):
        one = SelectField(
            choices=options([("", "All"), ('a"<', "<A & b>"), ("c", "")]), default='a"<'
        )

    with two_languages.test_request_context():
        form = _Choose(meta={"csrf": False})
        assert form.one(class_="x") == Select()(form.one, class_="x")
