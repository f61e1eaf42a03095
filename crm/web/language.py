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
from jinja2 import pass_context
from jinja2.runtime import Context

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

        def look_up() -> Any:
            return self.domain_instance.get_translations()

        pages = app.jinja_env
        pages.install_gettext_callables(  # type: ignore[attr-defined]
            gettext=lambda words: look_up().ugettext(words),
            ngettext=lambda one, many, number: look_up().ungettext(one, many, number),
            newstyle=True,
        )
        # The templates' own way from a sentence to markup; only its ways there are cut short.
        drawn: Any = pages.globals["gettext"]

        @pass_context
        def one(here: Context, words: str, /, **inside: Any) -> Any:
            if inside or not here.eval_ctx.autoescape:
                return drawn(here, words, **inside)
            ready: dict[str, str] = look_up().ready_for_pages
            done = ready.get(words)
            if done is None:
                done = drawn(here, words)
                if len(ready) < _MOST_READY:
                    ready[words] = done
            return done

        pages.globals["_"] = one
