"""Where a number on a page comes from: `[1.192](=trap:1.2)` is text beside an address.

digits.py reads and writes numbers in text, addresses.py finds what an address stands for, source.py
finds both in the Markdown of a page and compares them, outputs.py compares what examples print,
answers.py says where a number comes from. `python -m theme.numbers` is for the hand. Nothing here
knows MkDocs or Python-Markdown.
"""
