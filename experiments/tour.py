# %% [markdown]
# # A tour in ten cells
# From the data to a policy of your own and its shadow price. Open it in an editor that
# knows `# %%` cells, or run it: `python experiments/tour.py`. The horizon is short so
# that a solve takes a second or two; for results worth quoting use the world as it
# comes.

# %% 1. The data: checked on loading, every number with its source
import chipmodel as cm
from chipmodel.results.metrics import evaluate

data = cm.load_dataset()
print(data)
print(data.source_of("capex", segment="logic_lt10").T.to_string(header=False))

# %% 2. A world: years, rates, what is given; here with a short horizon
world = cm.load_world("central", data).with_(
    name="short", report_until=2029, horizon=2031
)
print(world)

# %% 3. A case of policy: current law, each instrument in a sentence
law = cm.load_case("current_law", data)
for policy in law.policies[:5]:
    print(policy.id, "-", policy.sentence())

# %% 4. Solve it: one linear program, whose optimum is the competitive equilibrium
base = cm.run(data, law, world)
print(base)

# %% 5. Capacity in service: tidy tables, thousand 300 mm wafers a month
capacity = base.capacity.groupby(["region", "year"])["value"].sum().unstack()
print(capacity.iloc[:, -3:].round(0))

# %% 6. A policy of your own: 70% of the leading-edge chips Americans use must come from
# four trusted places
floor = cm.OriginFloor(
    id="allied",
    market="USA",
    trusted=("USA", "JPN", "KOR", "EUR"),
    segments=("logic_lt10",),
    share=0.7,
    on="use",
    price_cap=20_000,
    years=(2028, 2041),
    source="own",
)
mine = law + cm.Case(name="allied_70", policies=(floor,))

# %% 7. Solve it too
tight = cm.run(data, mine, world)

# %% 8. Compare: named metrics, the same everywhere
compared = cm.compare(
    base, tight, metrics=["cost.buyers.USA", "fines.USA", "welfare.USA", "welfare.all"]
)
print(compared[["metric", "unit", "case", "value"]].to_string(index=False))

# %% 9. The shadow price: what one more trusted wafer is worth, by year
policies = tight.policies
of_floor = (policies["policy"] == "allied") & (policies["item"] == "dual_floor")
price = policies[of_floor].set_index("year")["value"]
print(price.round(0))

# %% 10. Who pays: what users, firms and treasuries gain or lose against current law,
# MUSD in present value
metrics = {
    "users lose": "cost.buyers",
    "firms gain": "rents",
    "treasury gains": "treasury",
}
who: dict[str, dict[str, float]] = {}
for name, metric in metrics.items():
    who[name] = {}
    for region in ("USA", "TWN", "KOR", "JPN"):
        who[name][region] = evaluate(f"{metric}.{region}", tight, base)
    print(name, {region: round(value) for region, value in who[name].items()})
