"""Codes CNN450 to CNN454: files of weights as they are read."""

from __future__ import annotations

from .code import Code, Says

TRUNCATED = "the file was cut short: copy or download it again"

TENSORS: tuple[Code, ...] = (
    Code(
        "CNN450",
        "weights-unreadable",
        "The file of weights is not there, is a folder or a device, or the system refuses to read it.",
        how="`cnnspec eval` with the name of a file that does not exist.",
        says=(
            Says("{path} cannot be read: {reason}"),
            Says("{path} holds {size}, and {free} of memory are free", case="memory"),
            Says("{path} is not there", case="missing"),
        ),
    ),
    Code(
        "CNN451",
        "weights-not-safetensors",
        """\
Weights are read from safetensors files alone: a header of JSON and numbers, nothing that could run. This
file is something else, or its header is damaged. A file of torch.save or a pickle can run code when it is
loaded, so it is never opened; turn it into safetensors where it comes from:

    import torch, safetensors.torch
    safetensors.torch.save_file(torch.load("model.pt", weights_only=True), "model.safetensors")""",
        how="`--weights model.pt`.",
        says=(
            Says("{path} has a header that is not JSON ({reason})"),
            Says("{path} begins with a header length of {length:,}; at most {most:,} are read", case="length"),
            Says("{path} has a header that is not a JSON object", case="no object"),
            Says("{path} has metadata that are not texts by name", case="metadata"),
            Says("{path} tells of {tensor} without dtype, shape and data_offsets, or with more", case="entry"),
            Says("{path} has a name or a text that cannot be written in UTF-8", case="UTF-8"),
            Says("{path} has an origin that is wrong at {fault}", case="origin"),
            Says("{path} has an origin that is not JSON ({reason})", case="origin JSON"),
            Says(
                "{path} is {kind}, not safetensors",
                help=(
                    "in Python: `import torch, safetensors.torch`, then "
                    "`safetensors.torch.save_file(torch.load({file}, weights_only=True), {new})`"
                ),
                case="foreign",
            ),
            Says("{path} is no whole file of weights of Keras", case="Keras"),
            Says("{path} holds more in {name} than it says", case="member"),
            Says("{path} leads to other files", case="link"),
        ),
    ),
    Code(
        "CNN452",
        "weights-truncated",
        """\
The file is shorter than its own header says, as after a copy or a download that was cut off. Nothing was
loaded. Copy it again; a run's folder holds both `best` and `last`.""",
        how="A safetensors file without its last bytes.",
        says=(
            Says("{path} holds {size:,} of {end:,} bytes of data", help=TRUNCATED),
            Says("{path} ends after {bytes} bytes, before its header", help=TRUNCATED, case="lead"),
            Says("{path} ends after {size:,} bytes, within a header of {length:,}", help=TRUNCATED, case="header"),
            Says("{path} ended within {name} while it was read", help=TRUNCATED, case="array"),
        ),
    ),
    Code(
        "CNN453",
        "weights-dtype",
        """\
A tensor's type of numbers is unknown, or it is whole numbers or booleans where weights belong. Weights may
be F64, F32, F16 or BF16; they are converted to the type that the model computes in.""",
        how="A safetensors file whose `conv1.weight` is I64.",
        says=(
            Says("{path} tells of {tensor} with dtype {dtype}", help="known are {known}"),
            Says("{file} holds {name} as {dtype}, and weights are floating-point", case="whole"),
        ),
    ),
    Code(
        "CNN454",
        "weights-inconsistent",
        """\
The header contradicts itself or the file: a shape that does not fill its piece of the file, pieces that
overlap or leave gaps, offsets that run backwards, bytes that no tensor accounts for. Such a file was
damaged or made up; nothing is allocated for it. Or the numbers are not those that were written: files of cnnspec
carry a checksum of them (`crc32` in the metadata), so that a bit that turned on a disk is noticed.""",
        how="A header that tells of a tensor of 8x3x3x3 F32 and gives it 4 bytes.",
        says=(
            Says("{path} tells of {tensor} with shape {shape}", case="shape"),
            Says("{path} tells of {tensor} at {offsets}, which is no piece of a file", case="offsets"),
            Says(
                "{path} tells of {tensor} as {size} {dtype}, {wanted:,} bytes, and gives it {given:,}", case="size"
            ),
            Says("{path} has {bytes:,} bytes at its end that no array accounts for", case="end"),
            Says(
                "{path} holds other numbers than were written",
                help=(
                    "copy the file again; where its numbers were changed on purpose, leave `crc32` out "
                    "of its metadata"
                ),
                case="checksum",
            ),
            Says("{path} tells of {name} where it overlaps the array before it", case="overlap"),
            Says("{path} tells of {name} where it leaves a gap before it", case="gap"),
        ),
    ),
)
