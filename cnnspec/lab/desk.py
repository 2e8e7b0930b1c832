"""What a page of `cnnspec lab` is opened with, and who answers it: the spec of a file, or one that comes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..checking import load
from ..diagnostics import SpecError
from ..lang import read
from ..quoting import visible
from ..train import files
from .assets import FIRST, Assets, assets, policy, specs
from .front import answer


class Desk:
    """A spec that is open. Its file is read once, with what it imports, and written when it is saved."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.source = load(str(path)) if path else None
        self.text = self.source.text if self.source else specs()[FIRST]
        spec = read(self.source, library=True, fixes=False).spec if self.source else None
        self.imports = (spec.source.imports or ()) if spec else ()

    def assets(self) -> Assets:
        name = visible(self.path.name) if self.path else ""
        given = {"server": True, "saves": self.path is not None, "name": name, "text": self.text}
        return assets(given)

    def policy(self) -> str:
        return policy()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["ask"] == "save":
            return self.save(question["text"])
        return answer(question, self.imports)

    def save(self, text: str) -> dict[str, Any]:
        """Write the file, unless somebody else has written it since."""
        if self.path is None:
            return {"problem": "this page was opened without a file: download the text"}
        try:
            if load(str(self.path)).text != self.text:
                return {"problem": "somebody else has changed the file: download the text, or open it anew"}
            files.write(self.path, [text.encode()])
        except UnicodeEncodeError:
            return {"problem": "the text holds half of a character, which no file may"}
        except SpecError as error:
            return {"problem": "; ".join(found.message for found in error.diagnostics)}
        self.text = text
        return {}
