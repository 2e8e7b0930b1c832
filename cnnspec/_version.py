"""What a release sets: the version, for whoever writes it into a file, and where its pages are."""

__version__ = "0.1.0"
PAGES = ""  # where a release publishes what `cnnspec docs` writes; else the repository's own pages are named
