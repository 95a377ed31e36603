"""Instruments of policy, one class each, grouped by family."""

from chipmodel.policies.base import Policy, policy_class
from chipmodel.policies.origin import OriginFloor
from chipmodel.policies.support import CapexGrant, InvestmentTaxCredit
from chipmodel.policies.tariff import Tariff

__all__ = ["CapexGrant", "InvestmentTaxCredit", "OriginFloor", "Policy", "Tariff", "policy_class"]
