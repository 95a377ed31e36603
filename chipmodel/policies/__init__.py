"""Instruments of policy, one class a file.

Imports `model` and what is below it. A module here that defines a subclass of `Policy`
with a ``kind`` is an instrument: it is found by its file and needs no entry in a list.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
