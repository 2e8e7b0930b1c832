"""The documentation as a site of files: the pages of grammar/, a cookbook of networks, the Python API, a search."""
