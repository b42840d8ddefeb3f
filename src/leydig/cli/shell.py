"""What every verb shares: errors as one sentence, warnings, progress, and JSON on standard output."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import struct
import sys
import threading
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from leydig.errors import InputError, ModelWarning, nearest, unknown

DONE, FOUND_WRONG, BAD_INPUT, INTERRUPTED, READER_GONE = 0, 1, 2, 130, 141

# The common parent of the parser's own errors, which the library does not export.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

Progress = Callable[[int, int], None]

# Kinds of characters that are obeyed and not shown: controls, formats, surrogates, unassigned, separators of lines.
OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def guarded(command: Any, arguments: Sequence[str]) -> int:
    """Run a command and turn however it ends into an exit code; bad input is one sentence on standard error."""
    if sys.stdout is None:  # closed by whoever started the program: files may still be written
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without the letters gets a spelling of them
    try:
        with _listening(), command.make_context("leydig", list(arguments)) as context:
            code = command.invoke(context)
        sys.stdout.flush()
        return int(code or DONE)
    except typer.Exit as stop:
        return stop.exit_code
    except InputError as error:
        say("error", str(error))
        return BAD_INPUT
    except UsageError as error:
        say("error", usage_sentence(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        say("interrupted", "nothing was left half-written")
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has nowhere to go; without this the interpreter would complain on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        say("error", f"cannot read or write{where}: {error.strerror or error}")
        return FOUND_WRONG


# Set when Ctrl-C was pressed: the exception alone can get lost inside a library that is just calling back.
pressed = threading.Event()


@contextmanager
def _listening() -> Iterator[None]:
    """Note Ctrl-C as well as raise it; the handler of before comes back at the end."""

    def interrupt(*_: Any) -> None:
        pressed.set()
        raise KeyboardInterrupt

    pressed.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def stop_if_interrupted(*_: Any) -> None:
    """Raise what a lost Ctrl-C should have raised; long work calls this between its steps."""
    if pressed.is_set():
        raise KeyboardInterrupt


def say(kind: str, sentence: str) -> None:
    """One line on standard error: ``error: …``, ``warning: …``; control characters of quoted input become "?"."""
    line = " ".join(sentence.split())
    print(f"{kind}: {''.join(c if c.isprintable() else '?' for c in line)}", file=sys.stderr)


def usage_sentence(error: Any) -> str:
    """A parser's complaint as one sentence that names what is allowed."""
    context = getattr(error, "ctx", None)
    kind, message = type(error).__name__, str(getattr(error, "message", error)).rstrip(".")
    parameters = context.command.params if context else []
    if kind == "NoSuchOption":
        allowed = [max(p.opts, key=len) for p in parameters if p.param_type_name == "option"] + ["--help"]
        return str(unknown("option", error.option_name, allowed, _verb(context)))
    if kind == "BadOptionUsage":
        wrong = "needs a value" if "requires" in message else "takes no value"
        return f"{error.option_name} {wrong}; leydig --help and leydig VERB --help show examples"
    if kind == "MissingParameter" and error.param is not None:
        name = error.param.metavar or max(error.param.opts, key=len)
        return f"{name} is missing; {_verb(context)} --help shows an example"
    if "unexpected extra argument" in message:
        extra = message.partition(" (")[2].removesuffix(")")
        return f'{_verb(context)} cannot use "{extra}"; put text of several words in quotes'
    return message


def _verb(context: Any) -> str:
    return context.command_path if context else "leydig"


def once(option: str, values: Sequence[str] | None) -> str | None:
    """The value of an option that may stand once; a second one would silently take the place of the first."""
    if values and len(values) > 1:
        raise InputError(f"{option} stands {len(values)} times; it may stand once")
    if values and not values[0].strip():
        raise InputError(f"{option} is empty; leave it out or give it a value")
    return values[0] if values else None


def unknown_verb(word: str, verbs: Iterable[str]) -> InputError:
    """The refusal of a verb that does not exist; a protocol or a man in its place is told what is missing."""
    names = list(verbs)
    close = nearest(word, names)
    guess = f'; did you mean "{close}"?' if close else ";"
    return InputError(f'unknown verb "{word}"{guess} Allowed: {", ".join(names)}'.replace("; Allowed", "; allowed"))


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """The sentences of every ModelWarning raised inside, each once; they are also said on standard error."""
    sentences: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", ModelWarning)
        show_others = warnings.showwarning

        def show(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if not issubclass(category, ModelWarning):
                show_others(message, category, *rest, **more)
            elif str(message) not in sentences:
                sentences.append(str(message))
                say("warning", str(message))

        warnings.showwarning = show
        yield sentences


@contextmanager
def progress_bar(what: str, wanted: bool = True) -> Iterator[Progress]:
    """A bar on standard error when it is a terminal, else nothing is shown; either way Ctrl-C is heard at each step."""
    if not (wanted and sys.stderr.isatty()):
        yield stop_if_interrupted
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            stop_if_interrupted()
            bar.update(task, completed=done, total=total)

        yield update


def visible(content: Any) -> Any:
    """Text, or plain values that hold text, with every character spelt out that a terminal would obey and not show."""
    if isinstance(content, Mapping):
        return {name: visible(item) for name, item in content.items()}
    if isinstance(content, list | tuple):
        return [visible(item) for item in content]
    return spelt(re.sub(r"[\t\n\r]+", " ", content)) if isinstance(content, str) else content


def spelt(text: str) -> str:
    """Text with ``\\u001b`` and the like for controls, marks that turn its direction, and separators of lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_code(c) if unicodedata.category(c) in OBEYED else c for c in text)


def _code(letter: str) -> str:
    """A character as JSON writes it when it is to be plain."""
    return "".join(
        f"\\u{unit:04x}" for (unit,) in struct.iter_unpack(">H", letter.encode("utf-16-be", "surrogatepass"))
    )


def print_json(content: dict[str, Any]) -> None:
    """One JSON object, the only thing on standard output; what a terminal would obey is spelt out, as JSON allows."""
    sys.stdout.write(spelt(json.dumps(content, ensure_ascii=False, allow_nan=False)) + "\n")
