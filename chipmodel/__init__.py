"""chipmodel: where the world's chip factories go, and who pays, under policy.

Load a data package, choose a case of policy and a world, and solve:

>>> import chipmodel as cm
>>> data = cm.load_dataset()
>>> base = cm.run(data, "current_law")           # doctest: +SKIP
>>> base.capacity.head()                         # doctest: +SKIP
"""

from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset, load_dataset
from chipmodel.errors import CertificateError, ChipmodelError, InputError, NoOptimum, Problem
from chipmodel.metrics import compare
from chipmodel.policies import CapexGrant, InvestmentTaxCredit, OriginFloor, Policy, Tariff
from chipmodel.solution import Solution
from chipmodel.solve import run
from chipmodel.study import Study, StudyResult, load_study, run_study
from chipmodel.world import World, load_world

__version__ = "0.1.0"

__all__ = [
    "CapexGrant",
    "Case",
    "CertificateError",
    "ChipmodelError",
    "Dataset",
    "InputError",
    "InvestmentTaxCredit",
    "NoOptimum",
    "OriginFloor",
    "Policy",
    "Problem",
    "Solution",
    "Study",
    "StudyResult",
    "Tariff",
    "World",
    "__version__",
    "compare",
    "load_case",
    "load_dataset",
    "load_study",
    "load_world",
    "run",
    "run_study",
]
