"""Check that no module imports from a layer above its own, and that the engine names no hormone.

Run without arguments from anywhere; prints one line per violation and exits 1 when there is one.
The check reads the source with ``ast`` and never imports it, so it also sees imports inside functions.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "leydig"

# Lowest first. A module may import from its own line and from the lines before it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "writing", "files", "quantities", "ranges", "units", "bibliography", "fits", "parameters"),
    ("grading", "evidence", "evidence_limits", "evidence_records", "claims", "literature"),
    ("physiology", "pharmacology", "engine"),
    (
        "laboratory",
        "population_prior",
        "exposure",
        "model",
        "baseline",
        "outputs",
        "matching",
        "minutes",
        "men",
        "numerics",
        "start",
        "schedules",
        "subject",
    ),
    ("studies",),
    ("io", "report"),
    ("cli", "web"),
)

# Parts of one layer that must not know each other.
STRANGERS: tuple[frozenset[str], ...] = (frozenset({"physiology", "pharmacology", "engine"}),)

# The package's face re-exports lazily from everywhere; only its version may be read from inside.
FACE = "__init__"
FACE_NAMES_FOR_ALL = frozenset({"__version__"})
EXEMPT = frozenset({"__init__", "__main__"})

ENGINE = "engine"
HORMONE = re.compile(
    r"testosterone|estradiol|estrone|androgen|estrogen|gonadotropin|inhibin|shbg|sperm|anastrozole|letrozole"
    r"|(?<![a-z])(lh|fsh|gnrh|hcg|dht|bmd)(?![a-z])",
    re.IGNORECASE,
)


def part_of(path: Path, root: Path) -> str:
    """The name of the layer member that holds a file: ``physiology`` for physiology/bone.py, ``model`` for model.py."""
    first = path.relative_to(root).parts[0]
    return first.removesuffix(".py")


def level_of(part: str) -> int | None:
    """The index of the layer that lists this part, or None when none does."""
    return next((level for level, parts in enumerate(LAYERS) if part in parts), None)


def is_part(name: str, root: Path) -> bool:
    """Whether a name imported from the package is a module or folder of it and not one of its public names."""
    return level_of(name) is not None or (root / name).is_dir() or (root / f"{name}.py").exists()


def imported_parts(tree: ast.AST, path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and part of every import of the package itself, absolute, relative or by ``import_module``."""
    inside = [PACKAGE, *path.relative_to(root).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                if names[0] == PACKAGE:
                    yield node.lineno, names[1] if len(names) > 1 else FACE
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            names = base + (node.module.split(".") if node.module else [])
            if names[:1] != [PACKAGE]:
                continue
            if len(names) > 1:
                yield node.lineno, names[1]
                continue
            for alias in node.names:
                if alias.name not in FACE_NAMES_FOR_ALL:
                    yield node.lineno, alias.name if is_part(alias.name, root) else FACE
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            target = node.args[0].value
            if function in {"import_module", "__import__"} and isinstance(target, str):
                names = target.split(".")
                if names[0] == PACKAGE:
                    yield node.lineno, names[1] if len(names) > 1 else FACE


def refusal(importer: str, imported: str) -> str | None:
    """Why ``importer`` may not import ``imported``, or None when it may."""
    if importer == imported:
        return None
    if imported == FACE:
        return "only the outside world imports from the package's face; import the module itself"
    here, there = level_of(importer), level_of(imported)
    if there is None:
        return f"{imported} has no place in LAYERS of tools/check_layers.py"
    if here is not None and there > here:
        return f"{imported} lies above {importer}"
    if any({importer, imported} <= group for group in STRANGERS):
        return f"{importer} and {imported} must not know each other"
    return None


def hormone_words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and word of every identifier, keyword or string (docstrings apart) that names a hormone or a drug."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        words = [
            value for field in ("id", "attr", "arg", "name") if isinstance(value := getattr(node, field, None), str)
        ]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            words.append(node.value)
        for word in words:
            if found := HORMONE.search(word):
                yield getattr(node, "lineno", 0), found.group()


def violations(root: Path) -> list[str]:
    """Every broken rule below ``root`` (the package's folder), one sentence each, in the order of the files."""
    found: list[str] = []
    for path in sorted(root.rglob("*.py")):
        part, name = part_of(path, root), path.relative_to(root)
        if path.parent == root and part in EXEMPT:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        if level_of(part) is None:
            found.append(f"{name}: {part} has no place in LAYERS of tools/check_layers.py")
            continue
        for line, imported in imported_parts(tree, path, root):
            if why := refusal(part, imported):
                found.append(f"{name}:{line}: {part} imports {imported}, but {why}")
        if part == ENGINE:
            found.extend(f"{name}:{line}: the engine names {word!r}" for line, word in hormone_words(tree))
    return found


def main() -> int:
    """Check the package beside this tool; 0 when every rule holds."""
    root = Path(__file__).resolve().parents[1] / "src" / PACKAGE
    found = violations(root)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print(f"layers: {sum(1 for _ in root.rglob('*.py'))} files, no violation")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
