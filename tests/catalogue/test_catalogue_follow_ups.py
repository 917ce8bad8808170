"""All mistakes of a project are said at once; one mistake is said once, whatever stands on top of it."""

from __future__ import annotations

import itertools

import pytest
from marked import PROJECT, reported, write_project

import kpi_engine

MANY = """\
roles:
  seo_manager: {group: ⟨unknown_group:comms⟩}
datasets:
  views:
    table: page_views
    key: ⟨unknown_column:view_id⟩
    time: viewed_at
    dimensions: {section: , ⟨unknown_column:sction⟩: , upper: {sql: "upper(⟨unknown_column:chanel⟩) ⟨operator:||⟩ 'x'"}}
    joins: {session: {to: ⟨unknown_dataset:sesions⟩, keys: {session_id: id}}}
kpis:
  first:
    role: ⟨unknown_role:seo⟩
    inputs: {v: {from: views, where: "⟨unknown_column:sektion⟩ = 'blog' and ⟨unknown_column:chanel⟩ = 'x'"}, l: ⟨unknown_input:laeds⟩}
    formula: ⟨unknown_function:summ⟩(v.engagement_seconds) / ⟨bad_arguments:sum(v.a, v.b)⟩
    quality: ⟨unknown_kpi:secnd⟩
  second: {inputs: [leads], formula: sum(⟨unknown_column:amuont⟩) + max(⟨unknown_column:chanel⟩), unit: ⟨bad_unit:/⟩}
"""


def test_everything_at_once(check):
    text = MANY.replace("upper(⟨unknown_column:chanel⟩) ⟨operator:||⟩ 'x'", "upper(⟨unknown_column:chanel⟩)")
    text = text.replace(", unit: ⟨bad_unit:/⟩", "")
    found = check(text)
    assert len(found) == 14
    assert len({(d.code, d.place) for d in found}) == len(found)


def test_the_order_of_files_does_not_depend_on_the_order_of_reading(tmp_path):
    files = {
        "definitions/b.yaml": "kpis:\n  b: {inputs: [leads], formula: sum(⟨unknown_column:x⟩)}\n",
        "definitions/a.yaml": "kpis:\n  a: {inputs: [leads], formula: sum(⟨unknown_column:y⟩)}\n",
        "kpi.yaml": PROJECT + "default_source: ⟨unknown_source:webb⟩\n",
    }
    seen = set()
    for number, names in enumerate(itertools.permutations(files)):
        folder = tmp_path / str(number)
        folder.mkdir()
        expected = write_project(
            folder, {name: files[name].replace("default_source: ⟨unknown_source:webb⟩\n", "") for name in names}
        )
        with kpi_engine.open(folder) as engine:
            for _ in range(2):
                found = reported(engine.check(), folder)
                assert found == expected
                seen.add(tuple(found))
    assert len(seen) == 1


def test_a_kpi_over_a_kpi_with_a_mistake(check):
    check("""\
kpis:
  below: {inputs: [leads], formula: sum(⟨unknown_column:amuont⟩)}
  above: {inputs: [below, visits], formula: below / visits}
  over_above: {inputs: [above], formula: above * 2, unit: visits}
""")


def test_a_kpi_over_a_kpi_with_a_mistake_still_has_its_own(check):
    check("""\
kpis:
  below: {inputs: [leads], formula: sum(⟨unknown_column:amuont⟩)}
  above: {role: ⟨unknown_role:nobody⟩, inputs: [below, visits], formula: below / ⟨unknown_input:vists⟩}
""")


def test_conditions_and_splits_by_a_dimension_with_a_mistake(check):
    check(
        """\
datasets:
  own:
    table: leads
    time: created_at
    dimensions: {source: {sql: "lower(⟨unknown_column:sourse⟩)"}, shop: {sql: "case when ⟨syntax:then⟩ 1 end"}}
    joins: {session: {to: sessions, keys: {session_id: id}}}
kpis:
  a: {inputs: {own: {from: own, where: "source = 'x'"}}, formula: count(own)}
  b: {inputs: [own], formula: count_if(shop = 1) / count(source)}
  c: {inputs: {x: {from: own, across: source}, y: own}, formula: count(y) / count(x)}
  d: {inputs: {x: {from: own, per: shop}}, formula: count(x)}
""".replace("case when ⟨syntax:then⟩ 1 end", "case ⟨syntax:when⟩ then 1 end")
    )


def test_a_time_with_a_mistake(check):
    check("""\
datasets:
  own: {table: leads, time: created_at, times: {late: {sql: "⟨unknown_column:nothing⟩"}}}
kpis:
  a: {inputs: {own: {from: own, time: late}}, formula: count(own)}
""")


def test_what_stands_on_a_dataset_that_was_left_out(check):
    check("""\
datasets:
  broken: {table: leads, ⟨unknown_key:tiem⟩: created_at}
  joined: {table: leads, joins: {b: {to: broken, keys: [lead_id]}}, dimensions: {c: b.channel}}
  selected: {sql: select * from broken}
  ranked: {transform: pagerank, from: broken}
kpis:
  a: {inputs: [broken], formula: sum(amount)}
  b: {inputs: {x: {from: broken, where: "channel = 'x'"}}, formula: count(x)}
  c: {inputs: [a], formula: a * 2}
  d: {inputs: [joined], formula: count(b.channel)}
  f: {inputs: {x: {from: leads, across: known_to_broken}}, formula: count(x)}
  e: {inputs: [leads, broken], formula: sum(⟨unknown_column:leads.amuont⟩) / count(broken)}
""")


def test_what_stands_on_a_kpi_or_parameter_that_was_left_out(check):
    check("""\
parameters:
  rate: {type: ⟨bad_value:percentage⟩}
kpis:
  broken: {inputs: [leads], formula: count(leads), ⟨unknown_key:formt⟩: percent}
  a: {inputs: [broken], formula: broken * :rate, quality: broken}
""")


def test_names_are_not_unknown_while_a_file_is_not_read(check):
    check(
        "kpis:\n  a: {inputs: [in_the_other_file], formula: count(in_the_other_file), role: elsewhere}\n",
        **{"definitions/other.yaml": "datasets:\n  in_the_other_file: {table: leads\nkpis⟨yaml_syntax::⟩ {}\n"},
    )


def test_a_join_to_a_dataset_whose_key_is_wrong(check):
    check("""\
datasets:
  target: {table: sessions, key: ⟨unknown_column:ide⟩}
  one: {table: leads, joins: {t: {to: target, keys: {session_id: id}}}, dimensions: {d: t.device}}
  two: {table: page_views, joins: {t: {to: target, keys: {session_id: id}}}}
""")


def test_a_circle_of_datasets_is_said_once(check):
    found = check("""\
datasets:
  a: {⟨dataset_cycle:sql⟩: "select * from b", dimensions: [x], key: y}
  b: {sql: "select * from c"}
  c: {sql: "select * from a"}
  above: {sql: "select * from a"}
kpis:
  k: {inputs: [b], formula: count(b)}
  l: {inputs: [above], formula: sum(z)}
""")
    assert found[0].message == "the datasets are made of one another: a → b → c → a"


def test_a_circle_through_a_transform(check):
    check("""\
datasets:
  a: {⟨dataset_cycle:sql⟩: "select * from b"}
  b: {transform: pagerank, from: a}
""")


def test_a_query_with_a_mistake(check):
    check("""\
datasets:
  shaped: {sql: "select ⟨unknown_function:conct⟩(channel, note) as x from leads", dimensions: [x], key: y, time: z}
  ranked: {transform: pagerank, from: shaped}
kpis:
  k: {inputs: [shaped], formula: count(x) / sum(w)}
""")


@pytest.mark.parametrize("asked", ["a", "b", "c"])
def test_what_is_not_said_by_check_is_refused_when_it_is_asked_for(tmp_path, asked):
    text = """\
datasets:
  broken: {table: leads, tiem: created_at}
  shaped: {sql: "select conct(channel) as x from leads"}
kpis:
  a: {inputs: [broken], formula: sum(amount)}
  b: {inputs: [a], formula: a * 2}
  c: {inputs: [shaped], formula: count(x)}
"""
    write_project(tmp_path, {"definitions/own.yaml": text})
    with kpi_engine.open(tmp_path) as engine, pytest.raises(kpi_engine.KpiError) as caught:
        engine.run(asked)
    assert caught.value.code == ("unknown_function" if asked == "c" else "unknown_key")
    assert caught.value.place is not None


def test_two_definitions_of_one_name(check):
    check("""\
datasets:
  ⟨duplicate_name:both⟩: {table: leads}
kpis:
  ⟨duplicate_name:both⟩: {inputs: [leads], formula: count(leads)}
  ⟨duplicate_definition:visits⟩: {inputs: [leads], formula: count(leads)}
  above: {inputs: [both], formula: both * 2}
""")


def test_too_many_datasets_on_one_another(check):
    """`leads` and 49 queries on one another are fifty datasets."""
    chain = "".join(f'  d{n}: {{sql: "select * from d{n - 1}"}}\n' for n in range(1, 49))
    deep = '  d49: {⟨too_deep:sql⟩: "select * from d48"}\n  d50: {sql: "select * from d49"}\n  d51: {sql: "select * from d50"}\n'
    top = "kpis:\n  k: {inputs: [d51], formula: count(d51)}\n"
    check(f'datasets:\n  d0: {{sql: "select * from leads"}}\n{chain}{deep}{top}')


@pytest.mark.parametrize("asked", ["over_it", "joined_to_it", "transformed"])
def test_a_circle_of_datasets_is_refused_when_it_is_asked_for(tmp_path, asked):
    text = """\
datasets:
  a: {sql: "select * from b", key: lead_id}
  b: {sql: "select * from a"}
  c: {table: leads, joins: {a: {to: a, keys: [lead_id]}}}
  d: {transform: pagerank, from: e}
  e: {sql: "select * from d"}
kpis:
  over_it: {inputs: [b], formula: count(b)}
  joined_to_it: {inputs: [c], formula: count(a.channel)}
  transformed: {inputs: [d], formula: count(d)}
"""
    write_project(tmp_path, {"definitions/own.yaml": text})
    with kpi_engine.open(tmp_path) as engine, pytest.raises(kpi_engine.KpiError) as caught:
        engine.run(asked)
    assert caught.value.code == "dataset_cycle"


def test_a_thousand_kpis_on_one_another_are_checked(tmp_path):
    chain = "".join(f"  k{n}: {{inputs: [k{n - 1}], formula: k{n - 1} + 1}}\n" for n in range(1, 1000))
    write_project(
        tmp_path, {"definitions/own.yaml": f"kpis:\n  k0: {{inputs: [leads], formula: sum(amount)}}\n{chain}"}
    )
    with kpi_engine.open(tmp_path) as engine:
        assert engine.check() == []
        assert engine.catalogue.dimensions("k999") == ("channel",)
