from .analysis.response import solve_for as solve_for
from .analysis.run import run as run
from .analysis.verify import Verification as Verification
from .analysis.verify import verify as verify
from .analysis.why.diagnosis import Diagnosis as Diagnosis
from .analysis.why.explain import explain_infeasible as explain_infeasible
from .cases.case import Case as Case
from .cases.case import load_case as load_case
from .common.errors import CertificateError as CertificateError
from .common.errors import ChipmodelError as ChipmodelError
from .common.errors import InputError as InputError
from .common.errors import NoOptimum as NoOptimum
from .common.errors import Problem as Problem
from .common.version import __version__ as __version__
from .dataset.dataset import Dataset as Dataset
from .dataset.dataset import load_dataset as load_dataset
from .model.world import World as World
from .model.world import load_world as load_world
from .policies.base import Policy as Policy

# Instruments: written by docs/make.py from chipmodel/policies/; do not edit.
from .policies.capacity_linked_quota import CapacityLinkedQuota as CapacityLinkedQuota
from .policies.capacity_mandate import CapacityMandate as CapacityMandate
from .policies.capex_grant import CapexGrant as CapexGrant
from .policies.concentration_cap import ConcentrationCap as ConcentrationCap
from .policies.domestic_first import DomesticFirst as DomesticFirst
from .policies.embargo import Embargo as Embargo
from .policies.export_control import ExportControl as ExportControl
from .policies.free_trade_area import FreeTradeArea as FreeTradeArea
from .policies.guardrail import Guardrail as Guardrail
from .policies.import_quota import ImportQuota as ImportQuota
from .policies.investment_tax_credit import InvestmentTaxCredit as InvestmentTaxCredit
from .policies.origin_floor import OriginFloor as OriginFloor
from .policies.production_credit import ProductionCredit as ProductionCredit
from .policies.soft_finance import SoftFinance as SoftFinance
from .policies.tariff import Tariff as Tariff

# End of instruments.
from .results.metrics import compare as compare
from .results.solution import Solution as Solution
from .studies.definition import Study as Study
from .studies.plan import load_study as load_study
from .studies.run import StudyResult as StudyResult
from .studies.run import run_study as run_study
