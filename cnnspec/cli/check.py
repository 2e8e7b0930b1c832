"""`cnnspec check`: find the mistakes of specs before anything is trained."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..checking import Configuration, Configurations
from ..checking.configuration import unknown_codes
from ..checking.many import FEW, each
from ..checking.search import search
from ..diagnostics import Diagnostic, SpecError
from ..diagnostics.formats import FOR_PEOPLE, FORMATS, Checked, render
from ..record import record
from ..terminal import hand_over, show_change, tell, write
from .jobs import Job, Result, died, look, remembering, silence
from .outcome import CLEAN, FINDINGS, OUR_FAULT, USAGE, coloured, interrupted

STDIN = "-"
HERE = "<command line>"  # the "file" of findings about the call itself
ENDS = {  # findings that are not about a spec, and how the command ends with them: the first one decides
    "CNN901": OUR_FAULT,
    "CNN903": USAGE,
    "CNN904": USAGE,
    "CNN905": USAGE,
}


class CheckCommand(click.Command):
    """A command whose machine formats are whole documents even when its arguments are wrong."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            format = given_value("--format", given)
            if format in FORMATS and format not in FOR_PEOPLE:
                refused = Checked(HERE, (Diagnostic.of("CNN904", message=error.format_message()),))
                deliver(render(format, [refused]), given_value("--output-file", given))
            raise


def given_value(option: str, args: Sequence[str]) -> str | None:
    """The value of an option among arguments that could not be parsed."""
    for i, argument in enumerate(args):
        if argument == option and i + 1 < len(args):
            return args[i + 1]
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None


def codes(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Codes or their beginnings, separated by commas; None where the option is not there."""
    if not given:
        return None
    wanted = tuple(code.strip() for each in given for code in each.split(",") if code.strip())
    for unknown in unknown_codes(wanted):
        raise click.BadParameter(f"no code begins with {unknown}; `cnnspec explain` lists them")
    return wanted


def complete_code(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from ..diagnostics.codes import CODES

    return [code for code in CODES if code.startswith(incomplete)]


@record
class Options:
    """What the command line says."""

    paths: tuple[str, ...]
    stdin_filename: str | None
    format: str
    output_file: str | None
    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    strict: bool
    exit_zero: bool
    quiet: bool
    color: bool
    fix: bool
    unsafe_fixes: bool
    diff: bool
    add_ignore: bool
    statistics: bool
    baseline: Path | None
    write_baseline: Path | None
    watch: bool
    cache: bool
    force_exclude: bool
    data_folder: Path | None

    @property
    def mend(self) -> str:
        return "fix" if self.fix else "diff" if self.diff else "ignore" if self.add_ignore else ""

    @property
    def talks(self) -> bool:
        """Whether a word beyond the findings is welcome."""
        return self.format in FOR_PEOPLE and not self.quiet

    def over(self, configuration: Configuration) -> Configuration:
        """A configuration with what the command line says instead."""
        select = configuration.select if self.select is None else self.select
        ignore = configuration.ignore if self.ignore is None else self.ignore
        return replace(configuration, select=select, ignore=ignore, strict=self.strict or configuration.strict)


@click.command(cls=CheckCommand)
@click.argument("paths", nargs=-1, metavar="[PATH...|-]", type=click.Path())
@click.option("--stdin-filename", metavar="NAME", help="File name for `-`, and the folder of its imports.")
@click.option("--format", type=click.Choice(FORMATS), default="full", show_default=True, help="Output format.")
@click.option("--output-file", metavar="FILE", type=click.Path(), help="Write findings into a file.")
@click.option(
    "--select",
    metavar="CODES",
    multiple=True,
    callback=codes,
    shell_complete=complete_code,
    help="Codes to report: CNN103,CNN2 (all of CNN2xx).",
)
@click.option(
    "--ignore",
    metavar="CODES",
    multiple=True,
    callback=codes,
    shell_complete=complete_code,
    help="Codes not to report; if both match, the longer decides.",
)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with findings.")
@click.option("--quiet", "-q", is_flag=True, help="Findings only, no closing line.")
@click.option("--color/--no-color", default=True, help="Colours on a terminal (NO_COLOR is respected).")
@click.option("--fix", is_flag=True, help="Apply the fixes that are safe and report what is left.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also fixes that may change the meaning.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--add-ignore", is_flag=True, help="Add comments that silence the current warnings.")
@click.option("--statistics", is_flag=True, help="Count the findings of each code instead of showing them.")
@click.option(
    "--baseline", metavar="FILE", type=click.Path(path_type=Path), help="Ignore the findings in this file."
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the current findings into this file.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.option("--cache/--no-cache", default=True, help="Cache the findings of unchanged files.")
@click.option("--force-exclude", is_flag=True, help="Apply `exclude` to named files, too.")
@click.option(
    "--data", "data_folder", metavar="FOLDER", type=click.Path(path_type=Path),
    help="Folder of the specs' data; a missing file is then an error.",
)  # fmt: skip
def command(**arguments: Any) -> int:
    """Find the mistakes of specs: of files, of every .cnn and .cnn.json in a folder, or of `-`.

    Exits 0 without errors, 1 with, 2 when called wrongly or with nothing to check, 3 when cnnspec itself
    failed, 130 when interrupted. Settings: [tool.cnnspec] in pyproject.toml.

    \b
    cnnspec check
    cnnspec check specs/ --fix
    cnnspec check net.cnn --format json
    """
    options = Options(**arguments)
    if options.fix + options.diff + options.add_ignore > 1:
        raise click.UsageError("--fix and --add-ignore change files, and --diff does not; give one of them")
    if options.statistics and options.format not in FOR_PEOPLE:
        raise click.UsageError(f"--statistics is for people, and --format {options.format} for machines")
    if options.watch and (STDIN in options.paths or options.mend or options.output_file or options.write_baseline):
        raise click.UsageError("--watch looks at files and changes none")
    if STDIN in options.paths and len(options.paths) > 1:
        raise click.UsageError("`-` stands alone: it is one spec, from standard input")
    if options.watch:
        from .watch import watch

        others = (path for path in (options.baseline, options.data_folder) if path)
        return watch(options.paths, others, lambda: check_once(options))
    return check_once(options)


def check_once(options: Options) -> int:
    """Check, tell, and return the exit code."""
    results: list[Result] = []
    try:
        for result in check_all(options):
            results.append(result)
    except SpecError as error:
        results.append(Result(Checked("pyproject.toml", error.diagnostics)))
    except KeyboardInterrupt as interrupt:
        told = Diagnostic.of("CNN902", files=count(len(results), "file"))
        results.append(Result(Checked(HERE, (told,))))
        write_results(results, options)
        return interrupted(interrupt)
    try:
        results, passed = past_baseline(results, options)
    except SpecError as error:
        results, passed = [Result(Checked(str(options.baseline), error.diagnostics))], 0
    write_results(results, options, passed)
    return exit_code(results, options)


def past_baseline(results: list[Result], options: Options) -> tuple[list[Result], int]:
    """The results without the findings of the baseline, and how many these were."""
    if not options.baseline and not options.write_baseline:
        return results, 0
    from ..checking import baseline

    checked = [result.checked for result in results]
    if options.write_baseline:
        text, count = baseline.written(checked, options.write_baseline)
        deliver(text, str(options.write_baseline))
        if options.talks:
            tell(f"wrote {options.write_baseline}", err=True)
    path = options.baseline or options.write_baseline or Path()
    fresh, count = baseline.without(checked, baseline.read(path), path)
    return [replace(result, checked=left) for result, left in zip(results, fresh, strict=True)], count


def check_all(options: Options) -> Iterator[Result]:
    """Check everything that the arguments name, in order."""
    configurations = Configurations()
    if options.paths == (STDIN,):
        name = options.stdin_filename
        folder = Path(os.path.abspath(name)).parent if name else Path.cwd()
        configuration = options.over(configurations.nearest(folder))
        data = sys.stdin.buffer.read()
        yield look(
            Job(
                name or "<stdin>",
                configuration,
                folder,
                data,
                options.mend,
                options.unsafe_fixes,
                options.talks,
                data_folder=options.data_folder,
            )
        )
        return
    found = search(options.paths or (".",), configurations, options.force_exclude)
    for name, problem in found.problems:
        yield Result(Checked(name, (problem,)))
    alone = options.talks and len(found.files) == 1
    jobs = []
    for name in found.files:
        folder = Path(os.path.abspath(name)).parent
        configuration = options.over(configurations.nearest(folder))
        jobs.append(
            Job(
                name,
                configuration,
                folder,
                mend=options.mend,
                unsafe=options.unsafe_fixes,
                inputs=alone,
                data_folder=options.data_folder,
            )
        )
    if options.add_ignore:
        yield from silence(list(each(jobs, look, died)))
    elif options.mend or options.data_folder or not options.cache or len(jobs) < FEW:
        yield from each(jobs, look, died)
    else:
        yield from remembering(jobs)


def write_results(results: Sequence[Result], options: Options, passed: int = 0) -> None:
    """Findings, diffs, the mended input, and the closing line, each to where it belongs."""
    checked = [result.checked for result in results]
    if options.format != "junit":
        checked = without_repeats(checked)
    output = b"".join(result.output for result in results)
    color = coloured(sys.stderr if output else sys.stdout, options.color and not options.output_file)
    text = statistics(checked) if options.statistics else render(options.format, checked, color=color)
    if options.diff:
        show_change("".join(result.diff for result in results))
    if output:
        hand_over(output)
    if options.output_file or not options.diff:
        deliver(text, options.output_file, to_stderr=bool(output))
    if options.talks:
        for result in results:
            if result.note:
                tell(result.note, err=True)
        more = f"; {count(passed, 'finding')} in the baseline" if passed else ""
        tell(closing_line(results, checked, options) + more, err=True)


def statistics(files: Sequence[Checked]) -> str:
    """How often each code was found, the most frequent first, and how many of them can be fixed."""
    from ..diagnostics.codes import CODES

    found = [diagnostic for file in files for diagnostic in file.diagnostics]
    counts = Counter(diagnostic.code for diagnostic in found)
    fixable = Counter(diagnostic.code for diagnostic in found if diagnostic.fix)
    width = max((len(str(number)) for number in counts.values()), default=0)
    return "".join(
        f"{number:{width}}  {code}  {CODES[code].name}"
        + (f"  [{fixable[code]} fixable]" if fixable[code] else "")
        + "\n"
        for code, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def without_repeats(files: Sequence[Checked]) -> list[Checked]:
    """The same files, with what is wrong in a file that several of them import said once."""
    seen = set()
    fresh = []
    for file in files:
        remaining = []
        for diagnostic, place in file.findings():
            key = (place, diagnostic.code, diagnostic.message)
            if place.filename == file.name or key not in seen:
                remaining.append(diagnostic)
            seen.add(key)
        fresh.append(replace(file, diagnostics=tuple(remaining)))
    return fresh


def deliver(text: str, path: str | None, to_stderr: bool = False) -> None:
    """Write a document to a file, or to the terminal in an encoding that cannot fail."""
    if path is None:
        stream = sys.stderr if to_stderr else sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        if text:
            write(text.encode(encoding, "backslashreplace"), err=to_stderr)
        return
    try:
        Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"cannot write {path}: {why.lower()}") from error


def closing_line(results: Sequence[Result], checked: Sequence[Checked], options: Options) -> str:
    """`2 errors and 1 warning in 1 of 12 files; 1 can be fixed with --fix`

    What only --unsafe-fixes would apply is counted apart.
    """
    mended = sum(result.mended for result in results)
    said = []
    if mended:
        what = "silenced" if options.add_ignore else "would be fixed" if options.diff else "fixed"
        said.append(f"{count(mended, 'finding')} {what}")
    errors = sum(file.count("error") for file in checked)
    warnings = sum(file.count("warning") for file in checked)
    if errors or warnings:
        kinds = [count(errors, "error")] * bool(errors) + [count(warnings, "warning")] * bool(warnings)
        where = sum(bool(file.diagnostics) for file in checked)
        place = "" if len(checked) == 1 else f" in {where} of {count(len(checked), 'file')}"
        said.append(" and ".join(kinds) + place + " left" * bool(mended))
    else:
        said.append(f"{count(len(checked), 'file')} checked, nothing {'left' if mended else 'found'}")
    offered = [diagnostic.safe for file in checked for diagnostic in file.diagnostics if diagnostic.fix]
    fixable = len(offered) if options.unsafe_fixes else sum(offered)
    hidden = len(offered) - fixable
    if fixable and not options.mend:
        said.append(f"{fixable} can be fixed with --fix")
    if hidden:
        said.append(f"{hidden} hidden {'fix' if hidden == 1 else 'fixes'} can be enabled with --unsafe-fixes")
    return "; ".join(said)


def exit_code(results: Sequence[Result], options: Options) -> int:
    """The exit code of everything together."""
    found = {diagnostic.code for result in results for diagnostic in result.checked.diagnostics}
    for code, end in ENDS.items():
        if code in found:
            return end
    if options.exit_zero:
        return CLEAN
    would_change = options.diff and any(result.mended for result in results)
    return FINDINGS if would_change or any(result.checked.failed for result in results) else CLEAN


def count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
