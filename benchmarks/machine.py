"""What the benchmark ran on, without names or places."""

import os
import platform
import re
import subprocess
from pathlib import Path


def described() -> dict[str, str]:
    """Processor, cores, memory, system and compilers."""
    cpu, flags = platform.processor(), ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = dict(re.findall(r"^(model name|flags|cpu family|model)\s*: (.*)$", info.read_text(), re.M))
        cpu = f"{found.get('model name', cpu)} (family {found.get('cpu family', '?')}, model {found.get('model', '?')})"
        flags = "AVX-512" if "avx512f" in found.get("flags", "") else "AVX2" if "avx2" in found.get("flags", "") else ""
    memory = Path("/proc/meminfo")
    size = int(re.search(r"\d+", memory.read_text())[0]) / 2**20 if memory.exists() else 0.0
    return {
        "processor": f"{cpu}, {flags}".rstrip(", "),
        "cores": str(os.cpu_count()),
        "memory": f"{size:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "g++": _first_line(["g++", "--version"]),
    }


def _first_line(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"
