"""The Language Server Protocol: requests in, answers of the folder above out. Needs the extra [lsp]."""
