"""Files of bad inputs that cannot be written down in YAML: not UTF-8, or made of characters that YAML does not hold."""

from __future__ import annotations

from types import MappingProxyType

_KPI = "kpis:\n  k: {inputs: [orders], formula: count(orders)}\n"


def utf_16() -> bytes:
    return _KPI.encode("utf-16")


def latin_1() -> bytes:
    return _KPI.replace("k:", "k: # café\n   ", 1).encode("latin-1")


def nul_bytes() -> bytes:
    return _KPI.replace("count", "co\0unt").encode()


def _kpis(*lines: str) -> bytes:
    return ("kpis:\n" + "".join(f"  {line}\n" for line in lines)).encode()


def a_thousand_on_one_another() -> bytes:
    """A thousand KPIs, each one more than the one before."""
    return _kpis(
        "k0: {inputs: [orders], formula: count(orders)}",
        *(f"k{n}: {{inputs: [k{n - 1}], formula: k{n - 1} + 1}}" for n in range(1, 1000)),
    )


def doubled_forty_times() -> bytes:
    """Forty KPIs, each twice the one before: its formula unfolded has a million million parts."""
    return _kpis(
        "k0: {inputs: [orders], formula: count(orders)}",
        *(f"k{n}: {{inputs: [k{n - 1}], formula: k{n - 1} + k{n - 1}}}" for n in range(1, 41)),
    )


def a_circle_of_fifty() -> bytes:
    return _kpis(*(f"k{n}: {{inputs: [k{(n + 1) % 50}], formula: k{(n + 1) % 50} + 1}}" for n in range(50)))


def conditions_on_conditions() -> bytes:
    """Twenty KPIs, each with and without a condition: two to the power of twenty ways to read the orders."""
    return _kpis(
        "k0: {inputs: [orders], formula: count(orders)}",
        *(
            f'k{n}: {{inputs: {{a: k{n - 1}, b: {{from: k{n - 1}, where: "tenant <> {n}"}}}}, formula: a + b}}'
            for n in range(1, 21)
        ),
    )


def entities_of_entities() -> bytes:
    """Twelve averages of averages, each per another stretch of time."""
    return _kpis(
        "k0: {inputs: [orders], formula: count(orders)}",
        *(f"k{n}: {{inputs: {{a: {{from: k{n - 1}, per: tenant}}}}, formula: avg(a)}}" for n in range(1, 13)),
    )


def five_thousand_kpis() -> bytes:
    return _kpis(*(f"k{n}: {{inputs: [orders], formula: sum(amount) + {n}}}" for n in range(5000)))


def two_thousand_inputs() -> bytes:
    aliases = ", ".join(f"a{n}: orders" for n in range(2000))
    return _kpis(f"k: {{inputs: {{{aliases}}}, formula: count(a0) + count(a1999)}}")


def a_million_members() -> bytes:
    return b"id,n\n" + b"".join(b"m%06d,1\n" % n for n in range(1_000_000))


def two_thousand_columns() -> bytes:
    header, row = (",".join(each) for each in ([f"c{n}" for n in range(2000)], ["1"] * 2000))
    return f"{header}\n{row}\n".encode()


def sixty_datasets_on_one_another() -> bytes:
    lines = ["d0: {sql: select * from orders}", *(f"d{n}: {{sql: select * from d{n - 1}}}" for n in range(1, 60))]
    return ("datasets:\n" + "".join(f"  {line}\n" for line in lines)).encode() + _kpis(
        "k: {inputs: [d59], formula: count(d59)}"
    )


def a_text_doubled_forty_times() -> bytes:
    """A query whose text is twice as long in each step: with a row of one letter it would fill a terabyte."""
    steps = ", ".join(f"t{n} as (select x || x as x from t{n - 1})" for n in range(1, 41))
    query = f"with t0 as (select region as x from orders), {steps} select x from t40"
    return f'datasets:\n  d: {{sql: "{query}"}}\n'.encode() + _kpis("k: {inputs: [d], formula: count(d)}")


GENERATORS = MappingProxyType({each.__name__: each for each in (
    utf_16,
    latin_1,
    nul_bytes,
    a_thousand_on_one_another,
    doubled_forty_times,
    a_circle_of_fifty,
    conditions_on_conditions,
    entities_of_entities,
    five_thousand_kpis,
    two_thousand_inputs,
    a_million_members,
    two_thousand_columns,
    sixty_datasets_on_one_another,
    a_text_doubled_forty_times,
)})  # fmt: skip
"""The files by the name under which `made` of a case calls them."""
