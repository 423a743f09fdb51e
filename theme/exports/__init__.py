"""What a reader takes along: plain Markdown and notebooks, made from the Markdown of a page."""
