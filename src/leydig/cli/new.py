"""``leydig new``: a commented subject file to fill in."""

from __future__ import annotations

from leydig.cli.options import usable_path
from leydig.cli.shell import DONE, print_json
from leydig.errors import InputError
from leydig.writing import write_text


def run(file: str, *, force: bool, as_json: bool) -> int:
    from leydig.subject import Subject

    path = usable_path("FILE", file)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, such as {path / 'man.yaml'}")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}; create it or choose another")
    if path.exists() and not force:
        raise InputError(f"{path} is already there; choose another name, or overwrite it with --force")
    write_text(path, Subject.template())
    if as_json:
        print_json({"file": str(path)})
    else:
        print(f'{path} is written. Fill in what is known, then: leydig simulate {path} --protocol "…"')
    return DONE
