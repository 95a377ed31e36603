"""Devices: chips enter devices in one place, are used in another, and have an origin.

Origins are distinguished only for users whom a rule of the case covers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.flows import POOLED
from chipmodel.model.lp.row_groups import balance, lookup
from chipmodel.model.lp.rows import Index, Terms, terms_by
from chipmodel.model.lp.shares import nonzero, present
from chipmodel.model.lp.trade import makers

MARGIN = 0.02
"""By how much the mix of origins may differ between a maker's buyers at no cost."""


def variables(builder: ModelBuilder) -> None:
    """Add chips in devices, moves of device making, and use.

    ``device[s,c,m,e,t]``: chips of segment s and origin class c in devices made in m
    for users in e (the class is pooled for users whom no rule covers).
    ``rest[s,c,m,t]``: chips of a class left to those users. ``consumed[e,s,t]``: chips
    used. ``move_out[s,m,e,k,t]`` and ``move_in[s,m,e,t]``: device making moved out of
    m, in step k, and into it. ``sort[s,c,m,e,k,t]``: chips of a class put into devices
    for e beyond their usual share, in step k.
    """
    builder.variable("device", _devices(builder), "makers")
    builder.variable("rest", _rests(builder), "makers")
    builder.variable("consumed", _consumed(builder), "makers")
    builder.variable("move_out", _moves_out(builder), "makers")
    builder.variable("move_in", _moves_in(builder), "makers")
    builder.variable("sort", _sorted_chips(builder), "makers")


@lookup
def users(builder: ModelBuilder) -> list[str]:
    """Return the regions that use chips, in order of the regions."""
    parameters = builder.parameters
    using = {e for e, _, _ in parameters.reference}
    return sorted(using, key=parameters.regions.index)


def _classes_for(builder: ModelBuilder, segment: str, user: str) -> range:
    """Return the classes of origins distinguished for a user; one pool if none is."""
    origins = builder.origins[segment]
    if user in origins.users:
        return range(len(origins.classes))
    return range(POOLED, POOLED + 1)


def _devices(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for s, m, e in _links(builder):
        for c in _classes_for(builder, s, e):
            keys.extend((s, c, m, e, t) for t in parameters.years)
    return keys


def _rests(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for s in parameters.segments:
        origins = builder.origins[s]
        if origins.users:
            classes = range(len(origins.classes))
            keys.extend(product([s], classes, makers(builder), parameters.years))
    return keys


def _consumed(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    return list(product(users(builder), parameters.segments, parameters.years))


def _links(builder: ModelBuilder) -> list[tuple[str, str, str]]:
    """Return every segment, region of device making and region of use."""
    segments = builder.parameters.segments
    return list(product(segments, makers(builder), users(builder)))


def _moves_out(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    steps = range(len(parameters.device_moves))
    keys: list[Index] = []
    for s, m, e in _links(builder):
        # What is not made in a place cannot move out of it.
        if present(parameters.pattern.get((m, e), 0.0)):
            keys.extend(product([s], [m], [e], steps, parameters.years))
    return keys


def _moves_in(builder: ModelBuilder) -> list[Index]:
    years = builder.parameters.years
    return [(*link, t) for link, t in product(_links(builder), years)]


def _distinguished(builder: ModelBuilder) -> list[Index]:
    """Return the devices of a distinguished class for users whom the maker serves."""
    usual = usual_shares(builder)
    return [
        (s, c, m, e, t)
        for s, c, m, e, t in builder.model.device
        if c != POOLED and present(usual.get((m, e), 0.0))
    ]


def _sorted_chips(builder: ModelBuilder) -> list[Index]:
    steps = range(len(builder.parameters.routes))
    keys: list[Index] = []
    for s, c, m, e, t in _distinguished(builder):
        keys.extend((s, c, m, e, k, t) for k in steps)
    return keys


def _pooled_devices(builder: ModelBuilder) -> list[Index]:
    """Return where other users are supplied from what the distinguished ones leave."""
    return [
        (s, c, m, t)
        for s, c, m, t in devices_by_maker(builder)
        if c == POOLED and builder.origins[s].users
    ]


@lookup
def usual_shares(builder: ModelBuilder) -> dict[tuple[str, str], Any]:
    """Return by (m, e) today's share of the devices made in m that go to users in e."""
    parameters = builder.parameters
    pattern = parameters.pattern
    # In shares of the world's chips: the common total cancels below.
    made = {}
    for m in parameters.sold:
        made[m] = sum(
            pattern.get((m, e), 0.0) * parameters.users[e] for e in users(builder)
        )
    shares = {}
    for m, total in nonzero(made.items()):
        for e in users(builder):
            shares[m, e] = pattern.get((m, e), 0.0) * parameters.users[e] / total
    return shares


@lookup
def sold_to_makers(builder: ModelBuilder) -> Terms:
    """Return chips sold to makers, by segment, class, maker and year.

    They are one pool where no rule covers any user.
    """
    class_of: dict[tuple[str, str], int] = {}
    for s, origins in builder.origins.items():
        for c, members in enumerate(origins.classes):
            for r in members:
                class_of[s, r] = c if origins.users else POOLED
    return terms_by(lambda s, r, a, m, t: (s, class_of[s, r], m, t), builder.model.ship)


@lookup
def devices_by_maker(builder: ModelBuilder) -> Terms:
    """Return chips in devices by segment, class, maker and year."""
    return terms_by(lambda s, c, m, e, t: (s, c, m, t), builder.model.device)


@lookup
def devices_by_user(builder: ModelBuilder) -> Terms:
    """Return chips in devices by user, segment and year."""
    return terms_by(lambda s, c, m, e, t: (e, s, t), builder.model.device)


@lookup
def devices_by_link(builder: ModelBuilder) -> Terms:
    """Return chips in devices by segment, maker, user and year."""
    return terms_by(lambda s, c, m, e, t: (s, m, e, t), builder.model.device)


def _moved_out(
    builder: ModelBuilder, s: str, m: str, among: Iterable[str], t: int
) -> Any:
    """Return the device making for some users that moves out of a region."""
    move_out = builder.model.move_out
    steps = range(len(builder.parameters.device_moves))
    terms = []
    for e in among:
        for k in steps:
            if (s, m, e, k, t) in move_out:
                terms.append(move_out[s, m, e, k, t])
    return pyo.quicksum(terms)


@balance(
    name="device_balance",
    title="chips put into devices",
    index=("segment", "origin class", "region", "year"),
    over=lambda builder: list(sold_to_makers(builder)),
    unit="kwpm",
    dual="price device makers pay for a chip of this origin",
)
def device_balance(builder: ModelBuilder, s: str, c: int, m: str, t: int) -> Any:
    r"""Chips sold to makers in a region are in the devices made there.

    Where a rule covers some users, this holds for each class of origins, and `rest`
    goes to all other users:

    .. math:: \sum_{r \in c,a} ship_{s,r,a,m,t}
              = \sum_e device_{s,c,m,e,t} + rest_{s,c,m,t}
    """
    rest = builder.model.rest[s, c, m, t] if c != POOLED else 0.0
    sold = pyo.quicksum(sold_to_makers(builder)[s, c, m, t])
    inside = pyo.quicksum(devices_by_maker(builder).get((s, c, m, t), []))
    return sold - inside - rest


@balance(
    name="rest_balance",
    title="chips for users whom no rule covers",
    index=("segment", "origin class", "region", "year"),
    over=_pooled_devices,
    unit="kwpm",
    dual="price of a chip to users whom no rule covers",
)
def rest_balance(builder: ModelBuilder, s: str, c: int, m: str, t: int) -> Any:
    r"""Devices for users whom no rule covers hold what the other users leave.

    .. math:: \sum_c rest_{s,c,m,t} = \sum_e device_{s,pooled,m,e,t}
    """
    classes = range(len(builder.origins[s].classes))
    rest = pyo.quicksum(builder.model.rest[s, kind, m, t] for kind in classes)
    return rest - pyo.quicksum(devices_by_maker(builder)[s, POOLED, m, t])


@balance(
    name="use_balance",
    title="chips used",
    index=("region", "segment", "year"),
    over=lambda builder: list(builder.model.consumed),
    unit="kwpm",
    dual="price users pay for a chip",
)
def use_balance(builder: ModelBuilder, e: str, s: str, t: int) -> Any:
    r"""Devices for users in a region hold the chips they use.

    .. math:: \sum_{c,m} device_{s,c,m,e,t} = consumed_{e,s,t}
    """
    used = devices_by_user(builder).get((e, s, t), [])
    return pyo.quicksum(used) - builder.model.consumed[e, s, t]


@balance(
    name="device_place",
    title="place of device making",
    index=("segment", "region", "region", "year"),
    over=lambda builder: list(builder.model.move_in),
    unit="kwpm",
    dual="price of making the device here rather than elsewhere",
)
def device_place(builder: ModelBuilder, s: str, m: str, e: str, t: int) -> Any:
    r"""Devices are made where they are made today, apart from moves.

    With h the share of the devices of e that are made in m today:

    .. math:: \sum_c device_{s,c,m,e,t} = h_{m,e} \, consumed_{e,s,t}
              + move\_in_{s,m,e,t} - \sum_k move\_out_{s,m,e,k,t}
    """
    model = builder.model
    # A pair without today's making has no entry: devices can only move in.
    share = builder.parameters.pattern.get((m, e), 0.0)
    return (
        share * model.consumed[e, s, t]
        + model.move_in[s, m, e, t]
        - _moved_out(builder, s, m, [e], t)
        - pyo.quicksum(devices_by_link(builder).get((s, m, e, t), []))
    )


@balance(
    name="device_move",
    title="pace of moving device making",
    index=("segment", "region", "region", "step", "year"),
    over=lambda builder: list(builder.model.move_out),
    unit="kwpm",
    dual="price of moving device making faster",
    equal=False,
)
def device_move(builder: ModelBuilder, s: str, m: str, e: str, k: int, t: int) -> Any:
    r"""At each step at most a share of the usual making leaves a region.

    .. math:: move\_out_{s,m,e,k,t} \le width_k \, h_{m,e} \, consumed_{e,s,t}

    Most chips reach the United States inside devices: a duty on bare chips and one on
    the chips in devices are different policies.
    """
    parameters = builder.parameters
    model = builder.model
    width, _ = parameters.device_moves[k]
    leaving = width * parameters.pattern[m, e] * model.consumed[e, s, t]
    return leaving - model.move_out[s, m, e, k, t]


@balance(
    name="device_inertia",
    title="usual mix of origins",
    index=("segment", "origin class", "region", "region", "year"),
    over=_distinguished,
    unit="kwpm",
    dual="price of sorting chips of this origin into devices for this user",
    equal=False,
)
def device_inertia(
    builder: ModelBuilder, s: str, c: int, m: str, e: str, t: int
) -> Any:
    r"""Chips of a class go to the maker's buyers in today's proportions, with a margin.

    For users whom some rule covers, with v today's share of the devices made in m
    that go to e, and X the chips of the class sold to makers in m:

    .. math:: device_{s,c,m,e,t} \le (1 + \epsilon) v_{m,e} (X_{s,c,m,t}
              + \sum_{e' \ne e,k} move\_out_{s,m,e',k,t}) + move\_in_{s,m,e,t}
              - \sum_k move\_out_{s,m,e,k,t} + \sum_k sort_{s,c,m,e,k,t}

    Without it a floor at the user is met at no cost by relabelling which device gets
    which chip. Moves count net, so that making cannot leave a place and return with
    another mix.
    """
    model = builder.model
    steps = range(len(builder.parameters.routes))
    others = [user for user in users(builder) if user != e]
    sold = pyo.quicksum(sold_to_makers(builder)[s, c, m, t])
    usual = usual_shares(builder)[m, e]
    return (
        (1.0 + MARGIN) * usual * (sold + _moved_out(builder, s, m, others, t))
        + model.move_in[s, m, e, t]
        - _moved_out(builder, s, m, [e], t)
        + pyo.quicksum(model.sort[s, c, m, e, k, t] for k in steps)
        - model.device[s, c, m, e, t]
    )


@balance(
    name="device_sorting",
    title="pace of sorting chips by origin",
    index=("segment", "origin class", "region", "region", "step", "year"),
    over=lambda builder: list(builder.model.sort),
    unit="kwpm",
    dual="price of sorting faster",
    equal=False,
)
def device_sorting(
    builder: ModelBuilder, s: str, c: int, m: str, e: str, k: int, t: int
) -> Any:
    r"""In each step at most a multiple of the usual chips is sorted.

    Sorting costs a requalification.

    .. math:: sort_{s,c,m,e,k,t} \le \phi_k \, v_{m,e} \, X_{s,c,m,t}
    """
    width, _ = builder.parameters.routes[k]
    usual = usual_shares(builder)[m, e]
    sold = pyo.quicksum(sold_to_makers(builder)[s, c, m, t])
    return width * usual * sold - builder.model.sort[s, c, m, e, k, t]


def costs(builder: ModelBuilder) -> None:
    """Charge moves of device making and sorting.

    Each costs a premium on the reference price that rises with the step.
    """
    parameters = builder.parameters
    reference = parameters.prices.reference
    moves: Terms = defaultdict(list)
    for (s, _, _, k, t), moved in builder.model.move_out.items():
        _, premium = parameters.device_moves[k]
        moves[t].append(premium * reference[s] * moved)
    sorting: Terms = defaultdict(list)
    for (s, _, _, _, k, t), chips in builder.model.sort.items():
        _, premium = parameters.routes[k]
        sorting[t].append(premium * reference[s] * chips)
    ties: Terms = defaultdict(list)
    for (s, c, m, e, t), device in builder.model.device.items():
        # A pool has no origin of its own; the user's region is as good as any.
        origin = e if c == POOLED else _first_origin(builder, s, c)
        ties[t].append(parameters.tie(e, m, origin) * device)
    builder.yearly_cost("device_moves", moves)
    builder.yearly_cost("sorting", sorting)
    if builder.ties:
        builder.yearly_cost("tie_break", ties)


def _first_origin(builder: ModelBuilder, segment: str, origin_class: int) -> str:
    members = builder.origins[segment].classes[origin_class]
    # By rank and not by the order of a set, which differs from run to run.
    return min(members, key=builder.parameters.rank.__getitem__)
