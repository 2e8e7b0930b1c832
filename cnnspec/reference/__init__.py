"""The reference of the language, made from the dataclasses that declare its words."""
