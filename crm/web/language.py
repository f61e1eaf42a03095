"""The words of a page in the reader's language, found quickly.

A page looks up hundreds of sentences, and a wall chart of 400 people some 2,000. Flask-Babel finds
out anew for each who reads, in which language, and where its sentences are; that was two fifths of
drawing a wall chart. Here they are found once for each change of language.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask import Flask, g
from flask_babel import Babel, Domain
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

# Sentences of templates that are kept ready as they stand; no catalogue has so many.
_MOST_READY = 20_000


class _Sentences(Domain):
    """The sentences of the app, remembered for the language that is chosen at this moment."""

    def get_translations(self) -> Any:
        """Return the sentences in the language of the reader, or of ``force_locale``."""
        try:
            kept = g.get("_flask_babel")
        except RuntimeError:  # Outside the app, as on the command line.
            kept = None
        locale = getattr(kept, "babel_locale", None)
        last = getattr(kept, "sentences", None)
        # force_locale puts another object there, and afterwards the old one.
        if last is not None and locale is not None and last[0] is locale:
            return last[1]
        found = super().get_translations()
        if not hasattr(found, "ready_for_pages"):
            found.ready_for_pages = {}
        if locale is not None:
            kept.sentences = (locale, found)
        return found


class Language(Babel):
    """Flask-Babel with the quick look-up, in Python and in templates."""

    @cached_property
    def domain_instance(self) -> Domain:
        """The sentences of the app."""
        return _Sentences(domain=self.domain)

    def init_app(self, app: Flask, *args: Any, **more: Any) -> None:
        """Set the app up, and have its templates look sentences up here."""
        super().init_app(app, *args, **more)
        app.jinja_env.globals.update(
            {"_": self._one, "gettext": self._one, "ngettext": self._counted}
        )

    # As the templates' own extension does it: the sentence is markup, what is put into it is
    # escaped, and a sentence without anything to put in is a pattern all the same.
    @property
    def _one(self) -> Any:
        @pass_eval_context
        def one(here: EvalContext, words: str, /, **inside: Any) -> str:
            found = self.domain_instance.get_translations()
            if inside or not here.autoescape:
                return _pattern(here, found.ugettext(words)) % inside
            ready: dict[str, str] = found.ready_for_pages
            done = ready.get(words)
            if done is None:
                done = _pattern(here, found.ugettext(words)) % {}
                if len(ready) < _MOST_READY:
                    ready[words] = done
            return done

        return one

    @property
    def _counted(self) -> Any:
        @pass_eval_context
        def counted(here: EvalContext, one: str, many: str, number: Any, /, **inside: Any) -> str:
            inside.setdefault("num", number)
            found = self.domain_instance.get_translations()
            return _pattern(here, found.ungettext(one, many, number)) % inside

        return counted


def _pattern(here: EvalContext, words: str) -> str:
    # From our templates and the catalogue of a translator, never from anybody's input.
    return Markup(words) if here.autoescape else words  # noqa: S704
