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

from typing import Any

import lazy_loader

# Names are loaded when first used: the command line starts at once, and can be
# interrupted while pandas and pyomo load. `__init__.pyi` lists them, for this loader
# and for type checkers.
_load, _names, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    return _load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
