"""Modules that upstream imports at its start and uses only for what the program does itself: export, previews, demos.

Many of them are hard to install. Where one is missing, an empty one takes its place while upstream is imported; whoever
calls anything in it hears that the package is missing.
"""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from bozzetto_bridge.errors import MissingPackage


@contextmanager
def deferring(packages: tuple[str, ...], known: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Let imports of packages that are not installed succeed for a while.

    `known` gives what is used all the same, by its full name, as in `kaolin.utils.testing.check_tensor`.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    finder = _Finder(missing, known or {})
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        # Whoever imported them keeps them; others look for the real ones.
        for name in [name for name in sys.modules if name.partition(".")[0] in missing]:
            del sys.modules[name]


class _Finder(MetaPathFinder, Loader):
    def __init__(self, packages: list[str], known: Mapping[str, Any]) -> None:
        self._packages = packages
        self._known = known

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Claim what is missing."""
        del path, target
        is_ours = fullname.partition(".")[0] in self._packages
        return ModuleSpec(fullname, self, is_package=True) if is_ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make an empty module."""
        return _EmptyModule(spec.name, self._known)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""
        del module


class _EmptyModule(ModuleType):
    def __init__(self, name: str, known: Mapping[str, Any]) -> None:
        super().__init__(name)
        self._known = known

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full_name = f"{self.__name__}.{name}"
        return self._known.get(full_name) or _Absent(full_name)


class _Absent:
    """Something in a package that is missing: it can be named, as in annotations, but not used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "_Absent":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        del arguments, options
        package = self._name.partition(".")[0]
        raise MissingPackage(
            package=package, problem="is not installed", advice="Install it into the engine's Python environment."
        )


class Inert:
    """Takes the place of a user interface: whatever is done with it, nothing happens."""

    def __getattr__(self, name: str) -> "Inert":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **options: Any) -> "Inert":
        """Do nothing."""
        del arguments, options
        return self

    def __enter__(self) -> "Inert":
        return self

    def __exit__(self, *failure: object) -> None:
        pass
