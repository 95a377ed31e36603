"""chipmodel: where the world's chip factories go, and who pays, under policy.

Load a data package, choose a case of policy and a world, and solve:

>>> import chipmodel as cm
>>> data = cm.load_dataset()
>>> base = cm.run(data, "current_law")           # doctest: +SKIP
>>> base.capacity.head()                         # doctest: +SKIP
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chipmodel.case import Case, load_case
    from chipmodel.dataset import Dataset, load_dataset
    from chipmodel.diagnose import Diagnosis, explain_infeasible
    from chipmodel.errors import CertificateError, ChipmodelError, InputError, NoOptimum, Problem
    from chipmodel.metrics import compare
    from chipmodel.policies import (
        CapacityLinkedQuota,
        CapacityMandate,
        CapexGrant,
        ConcentrationCap,
        DomesticFirst,
        Embargo,
        ExportControl,
        FreeTradeArea,
        Guardrail,
        ImportQuota,
        InvestmentTaxCredit,
        OriginFloor,
        Policy,
        ProductionCredit,
        SoftFinance,
        Tariff,
    )
    from chipmodel.search import solve_for
    from chipmodel.solution import Solution
    from chipmodel.solve import run
    from chipmodel.study import Study, StudyResult, load_study, run_study
    from chipmodel.verification import Verification, verify
    from chipmodel.world import World, load_world

__version__ = "0.1.0"

__all__ = [
    "CapacityLinkedQuota",
    "CapacityMandate",
    "CapexGrant",
    "Case",
    "CertificateError",
    "ChipmodelError",
    "ConcentrationCap",
    "Dataset",
    "Diagnosis",
    "DomesticFirst",
    "Embargo",
    "ExportControl",
    "FreeTradeArea",
    "Guardrail",
    "ImportQuota",
    "InputError",
    "InvestmentTaxCredit",
    "NoOptimum",
    "OriginFloor",
    "Policy",
    "Problem",
    "ProductionCredit",
    "SoftFinance",
    "Solution",
    "Study",
    "StudyResult",
    "Tariff",
    "Verification",
    "World",
    "__version__",
    "compare",
    "explain_infeasible",
    "load_case",
    "load_dataset",
    "load_study",
    "load_world",
    "run",
    "run_study",
    "solve_for",
    "verify",
]

# Names are fetched when they are first asked for: the command line then starts at once and can be
# interrupted while pandas and pyomo load.
_HOMES = {
    "chipmodel.case": ("Case", "load_case"),
    "chipmodel.dataset": ("Dataset", "load_dataset"),
    "chipmodel.diagnose": ("Diagnosis", "explain_infeasible"),
    "chipmodel.errors": ("CertificateError", "ChipmodelError", "InputError", "NoOptimum", "Problem"),
    "chipmodel.metrics": ("compare",),
    "chipmodel.policies": (
        "CapacityLinkedQuota",
        "CapacityMandate",
        "CapexGrant",
        "ConcentrationCap",
        "DomesticFirst",
        "Embargo",
        "ExportControl",
        "FreeTradeArea",
        "Guardrail",
        "ImportQuota",
        "InvestmentTaxCredit",
        "OriginFloor",
        "Policy",
        "ProductionCredit",
        "SoftFinance",
        "Tariff",
    ),
    "chipmodel.search": ("solve_for",),
    "chipmodel.solution": ("Solution",),
    "chipmodel.solve": ("run",),
    "chipmodel.study": ("Study", "StudyResult", "load_study", "run_study"),
    "chipmodel.verification": ("Verification", "verify"),
    "chipmodel.world": ("World", "load_world"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(home), name)
            return found
    if find_spec(f"chipmodel.{name}"):
        return import_module(f"chipmodel.{name}")
    raise AttributeError(f"module 'chipmodel' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
