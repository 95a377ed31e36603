"""chipmodel: where semiconductor fabs are built, and who pays.

Load a data package, choose a case of policies and a world, and solve:

>>> import chipmodel as cm
>>> data = cm.load_dataset()
>>> base = cm.run(data, "current_law")           # doctest: +SKIP
>>> base.capacity.head()                         # doctest: +SKIP

Each package imports only what is below it::

                         cli            commands
                       report           the page
             questions | validation     its questions | published results
                       studies          many cases
              display | analysis        tables, figures | one case
                       results          accounts, tables, metrics
                        cases           files of instruments
                      policies          one instrument, one file
                        model           world, parameters, linear program
                  dataset | solver      sourced numbers | an LP and HiGHS
                       common           errors, units, text, files, workers
"""

import shlex
import sys
from pathlib import Path
from typing import Any

import lazy_loader


def _refuse_archive(package: Path) -> None:
    """Refuse to run from a wheel that is not installed: its data are no files.

    Raises
    ------
    ImportError
        Or, for ``python -m chipmodel``, SystemExit with a line instead of a traceback.
    """
    archive = package.parent
    message = (
        f"{archive}: file: chipmodel cannot run from an archive; install it with"
        f" `python -m pip install {shlex.quote(str(archive))}`"
    )
    # Python sets this word while it looks for the module that -m names.
    if sys.argv[:1] == ["-m"]:
        sys.stderr.write(f"error: {message}\n")
        raise SystemExit(2)
    raise ImportError(message)


if not Path(__file__).is_file():
    _refuse_archive(Path(__file__).parent)

# Names are loaded when first used: the command line starts at once, and can be
# interrupted while pandas and pyomo load. `__init__.pyi` lists them, for this loader
# and for type checkers.
_load, _names, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    return _load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
