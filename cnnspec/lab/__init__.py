"""`cnnspec lab` and `cnnspec site`: a network built, trained and looked at in one page of a browser.

    front.py     answers the page's questions about a text: findings, fixes, drawing, completion, its JavaScript
    server.py    serves the page on this machine, to whoever has its address
    assets.py    the page's files
    site.py      the same page as files of a folder
    lessons.py   the course; teacher.py prints it for those who teach
    page/        the page itself: one script made of those named in `assets.SCRIPTS`, plain and in that order

The page and `front` speak in questions and answers of JSON (`front.answer`); who carries them differs: the server
of `lab`, or Python in the page itself (Pyodide) in a site. So `front` imports no NumPy. Everything that is computed
from weights is computed in the page, by the JavaScript of `targets/js`.
"""
