"""What a release sets: the version, which files record, and the address of its pages."""

__version__ = "0.1.0"
PAGES = ""  # where a release publishes what `cnnspec docs` writes; else the repository's own pages are named
