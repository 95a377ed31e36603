"""Instruments of policy, one class each, grouped by family."""

from chipmodel.policies.base import Policy, policy_class
from chipmodel.policies.capacity import CapacityMandate
from chipmodel.policies.credit import ProductionCredit, SoftFinance
from chipmodel.policies.investment import DomesticFirst, Guardrail
from chipmodel.policies.origin import ConcentrationCap, OriginFloor
from chipmodel.policies.partners import CapacityLinkedQuota, FreeTradeArea
from chipmodel.policies.support import CapexGrant, InvestmentTaxCredit
from chipmodel.policies.tariff import Tariff
from chipmodel.policies.trade import Embargo, ExportControl, ImportQuota

__all__ = [
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
    "policy_class",
]
