"""HTML as a PDF that a screen reader can read. Nothing is ever fetched for it."""

from __future__ import annotations

from typing import Any

from crm.domain.errors import Refusal


class NoPdf(Refusal):
    """The machine lacks what PDFs are drawn with."""

    default_message = (
        "This server cannot make PDFs. Open the report, choose Print, and print it from your "
        "browser. Tell whoever runs the server that Pango is missing."
    )


def pdf_of(html: str, css: str) -> bytes:
    """Return the page as PDF/UA-1 bytes, laid out by the style sheet alone.

    html: a whole document with its language and title. No address in it is followed, not even one
    of a file on this machine. Raises NoPdf where the libraries for it are not installed.
    """
    try:
        # Takes seconds to load, and needs libraries of the system: only when it is asked for.
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise NoPdf() from error

    class Nothing(URLFetcher):
        """Follows no address."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            """Raise ValueError, which leaves out whatever was asked for."""
            raise ValueError("A report brings everything it needs with it.")

    page = weasyprint.HTML(string=html, url_fetcher=Nothing())
    content: bytes = page.write_pdf(
        stylesheets=[weasyprint.CSS(string=css, url_fetcher=Nothing())], pdf_variant="pdf/ua-1"
    )
    return content
