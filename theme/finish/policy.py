"""A strict Content-Security-Policy: of the scripts in a page exactly those that stand there run."""

from __future__ import annotations

import base64
import hashlib

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.finish.nodes import fragment

# blob: a worker made from a blob keeps the policy of the page; one loaded from an
# address has none, and a static host sends none with it (assets/scripts/python.mjs).
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {hashes}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


def policy(tree: LexborHTMLParser, page: Page) -> None:
    # Live reload brings an inline script of its own; under file:// no 'self' is known.
    if page.serving or page.without_python == "folder":
        return
    scripts = [one for one in tree.css("script") if not {"src", "type"} & one.attributes.keys()]
    inline = [one.inner_html or "" for one in scripts]
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline]
    hashes = " ".join(f"'sha256-{digest}'" for digest in dict.fromkeys(digests))
    meta = fragment('<meta http-equiv="Content-Security-Policy">')
    meta.attrs["content"] = POLICY.format(hashes=hashes)
    (charset,) = tree.css("meta[charset]")
    charset.insert_after(meta)
