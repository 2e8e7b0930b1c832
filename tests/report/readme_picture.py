"""The picture of README: the page of a run of specs/digits.cnn, at a number of conv2, as Chromium shows it.

    cnnspec run specs/digits.cnn && python tests/report/readme_picture.py runs/digits-001/report.html

Of some numbers of its first maps it takes the first that something comes back to.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from browser import resize, show, start

PICTURE = Path(__file__).parents[2] / "grammar" / "pictures" / "page.png"
PLACES = [f"conv2[{c},{i},{j}]" for c in (5, 4, 7, 3, 8) for i in (6, 4, 8) for j in (7, 5, 9)]


def main() -> None:
    driver = start()
    resize(driver, 1400, 860)
    show(driver, Path(sys.argv[1]).resolve())
    for place in PLACES:
        driver.execute_script("window.location.hash = arguments[0]", place)
        driver.execute_async_script("setTimeout(arguments[0], 500)")
        if not driver.find_element("css selector", "#back h3").text.endswith(" = 0"):
            break
    driver.execute_script("document.getElementById('layer').scrollIntoView()")
    driver.execute_async_script("setTimeout(arguments[0], 500)")
    shot = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    driver.quit()
    shot.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
