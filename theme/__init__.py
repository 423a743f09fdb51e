"""Markdown → page → reader: what turns the sources into a site."""
