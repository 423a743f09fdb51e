"""Examples, data and figures, for code that reads them; the prose is Markdown beside them."""
