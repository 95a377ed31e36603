"""The families of metrics, each defined once with its unit and a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.results import metric_values
from chipmodel.results.metric_values import ALL

_PATTERNS = {
    "REGION": REGION_PATTERN,
    "segment": ID_PATTERN,
    "policy": ID_PATTERN,
    "firm": ID_PATTERN,
    "year": r"^[0-9]{4}$",
}


class Blank(NamedTuple):
    """A blank in the name of a family, such as ``<segment|all>``.

    Attributes
    ----------
    kind : str
        ``REGION``, ``segment``, ``policy``, ``firm`` or ``year``.
    or_all : bool
        Whether ``all`` may be filled in.
    """

    kind: str
    or_all: bool

    @classmethod
    def of(cls, part: str) -> Blank | None:
        """Read a blank from a part of a name; return None for a fixed word."""
        if not part.startswith("<"):
            return None
        kind, _, alternative = part.strip("<>").partition("|")
        return cls(kind, alternative == ALL)

    def accepts(self, word: str) -> bool:
        """Whether a word may be filled in."""
        # "all" would pass as an id: whether it may be filled in is asked first.
        if word == ALL and self.kind != "year":
            return self.or_all
        return re.fullmatch(_PATTERNS[self.kind], word) is not None


@dataclass(frozen=True)
class Family:
    """A family of metrics.

    Attributes
    ----------
    form : str
        Name with its blanks: ``<REGION>``, ``<segment>``, ``<year>``; ``|all`` where a
        sum is allowed.
    sentence : str
        What it is, with the same blanks in braces.
    heading, row : str
        How a comparison table groups it; ``{solved}`` and ``{reported}`` are the
        years of its money.
    value : callable
        From a summary, a reference if `against`, and what is filled in.
    against : bool
        Whether it is a difference to the reference case.
    """

    form: str
    unit: str
    sentence: str
    heading: str
    row: str
    value: Callable[..., float]
    against: bool = False

    @property
    def parts(self) -> list[str]:
        """The parts of its name."""
        return self.form.split(".")

    def fit(self, words: list[str]) -> dict[str, str | int] | None:
        """Return what the words of a name fill in, or None if they do not fit."""
        if len(words) != len(self.parts):
            return None
        given: dict[str, str | int] = {}
        for part, word in zip(self.parts, words, strict=True):
            blank = Blank.of(part)
            if blank is None:
                if part != word:
                    return None
            elif not blank.accepts(word):
                return None
            else:
                is_year = blank.kind == "year"
                given[blank.kind.lower()] = int(word) if is_year else word
        return given


FAMILIES: tuple[Family, ...] = (
    Family(
        form="share.capacity.<REGION>.<segment|all>.<year>",
        unit="share",
        sentence=(
            "share of the world's capacity in service in {region}, {segment}, {year}"
        ),
        heading="Share of world capacity, {segment}, {year}",
        row="{region}",
        value=metric_values.share,
    ),
    Family(
        form="capacity.<REGION|all>.<segment|all>.<year>",
        unit="kwpm",
        sentence=(
            "capacity in service in {region}, {segment}, {year}, thousand 300 mm"
            " wafers a month"
        ),
        heading="Capacity, {segment}, {year}",
        row="{region}",
        value=metric_values.capacity,
    ),
    Family(
        form="cost.buyers.<REGION|all>",
        unit="MUSD",
        sentence=(
            "loss of consumer surplus of chip users in {region} against the"
            " reference case, present value over all years solved"
        ),
        heading="Buyers' cost at user (loss of surplus), present value {solved}",
        row="{region}",
        value=metric_values.cost_of_buyers,
        against=True,
    ),
    Family(
        form="cost.buyers.maker.<REGION|all>",
        unit="MUSD",
        sentence=(
            "what makers of devices in {region} pay more for the chips they buy"
            " than at the prices of the reference case, present value over all"
            " years solved; it reaches users and is not to be added to their cost"
        ),
        heading="Buyers' cost at maker (memo), present value {solved}",
        row="{region}",
        value=metric_values.cost_at_maker,
        against=True,
    ),
    Family(
        form="price.user.<REGION>.<segment>.<year>",
        unit="USD/wafer",
        sentence="price of a wafer's chips to users in {region}, {segment}, {year}",
        heading="Price at user, {segment}, {year}",
        row="{region}",
        value=metric_values.user_price,
    ),
    Family(
        form="price.maker.<REGION>.<segment>.<year>",
        unit="USD/wafer",
        sentence=(
            "mean price of a wafer's chips to makers of devices in {region},"
            " {segment}, {year}"
        ),
        heading="Price at maker, {segment}, {year}",
        row="{region}",
        value=metric_values.maker_price,
    ),
    Family(
        form="outlay.<REGION|all>",
        unit="MUSD",
        sentence=(
            "support paid in cash by {region} over the years reported, undiscounted"
        ),
        heading="Support paid, cash {reported}",
        row="{region}",
        value=metric_values.outlay,
    ),
    Family(
        form="revenue.<REGION|all>",
        unit="MUSD",
        sentence=("tariffs received by {region} over the years reported, undiscounted"),
        heading="Tariff revenue, undiscounted {reported}",
        row="{region}",
        value=metric_values.tariffs,
    ),
    Family(
        form="fines.<REGION|all>",
        unit="MUSD",
        sentence=(
            "fines for missing a rule of origin received by {region} over the years"
            " reported, undiscounted"
        ),
        heading="Fines under rules of origin, undiscounted {reported}",
        row="{region}",
        value=metric_values.fines,
    ),
    Family(
        form="certificate.price.<policy>.<year>",
        unit="USD/wafer",
        sentence=(
            "price of a certificate of {policy} in {year}: what one more wafer free"
            " of the duty is worth"
        ),
        heading="Price of a certificate, {year}",
        row="{policy}",
        value=metric_values.certificate_price,
    ),
    Family(
        form="certificate.building.<policy>.<year>",
        unit="MUSD/kwpm",
        sentence=(
            "what a kwpm under construction earns in certificates of {policy} in {year}"
        ),
        heading="Certificates of a kwpm under construction, {year}",
        row="{policy}",
        value=metric_values.certificates_building,
    ),
    Family(
        form="certificate.running.<policy>.<year>",
        unit="MUSD/kwpm",
        sentence=("what a kwpm in service earns in certificates of {policy} in {year}"),
        heading="Certificates of a kwpm in service, {year}",
        row="{policy}",
        value=metric_values.certificates_running,
    ),
    Family(
        form="certificate.income.<policy>.<firm|all>",
        unit="MUSD",
        sentence=(
            "worth of the certificates {firm} earns under {policy} over the years"
            " reported, undiscounted"
        ),
        heading="Income from certificates of {policy}, undiscounted {reported}",
        row="{firm}",
        value=metric_values.certificate_income,
    ),
    Family(
        form="certificate.refund.<policy>",
        unit="MUSD",
        sentence=(
            "duty forgone under {policy} over the years reported, undiscounted;"
            " beyond certificates, buyers keep it"
        ),
        heading="Duty forgone under {policy}, undiscounted {reported}",
        row="{policy}",
        value=metric_values.duty_forgone,
    ),
    Family(
        form="hhi.<segment|all>.<year>",
        unit="index",
        sentence=(
            "concentration of capacity over regions (Herfindahl index, 0 to 1),"
            " {segment}, {year}"
        ),
        heading="Concentration of capacity (Herfindahl), {year}",
        row="{segment}",
        value=metric_values.herfindahl,
    ),
    Family(
        form="rents.<REGION|all>",
        unit="MUSD",
        sentence=(
            "rents of firms at home in {region} against the reference case, present"
            " value over all years solved"
        ),
        heading="Rents of firms by home, present value {solved}",
        row="{region}",
        value=metric_values.rents,
        against=True,
    ),
    Family(
        form="treasury.<REGION|all>",
        unit="MUSD",
        sentence=(
            "net revenue of the treasury of {region} against the reference case,"
            " present value over all years solved; support counts as annuities over"
            " the first economic life of the asset, cut off at the horizon"
        ),
        heading="Treasuries, present value {solved}",
        row="{region}",
        value=metric_values.treasury,
        against=True,
    ),
    Family(
        form="welfare.<REGION|all>",
        unit="MUSD",
        sentence=(
            "consumer surplus, rents and treasury of {region} against the reference"
            " case, present value over all years solved"
        ),
        heading="Welfare (users, firms and treasury), present value {solved}",
        row="{region}",
        value=metric_values.welfare,
        against=True,
    ),
    Family(
        form="welfare_billed.<REGION|all>",
        unit="MUSD",
        sentence=(
            "welfare of {region} against the reference case without the residual of"
            " places (what firms gain in a place beyond what is billed), present value"
            " over all years solved"
        ),
        heading="Welfare without the residual of places, present value {solved}",
        row="{region}",
        value=metric_values.welfare_billed,
        against=True,
    ),
    Family(
        form="objective",
        unit="MUSD",
        sentence=(
            "objective of the linear program: resource cost, tariffs less support,"
            " less the value served, present value"
        ),
        heading="Objective, present value {solved}",
        row="world",
        value=metric_values.objective,
    ),
)
