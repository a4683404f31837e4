"""No template, however clumsy or ill meant, takes more than a moment or a few megabytes."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from timbot.templating import TemplateError, Templates
from timbot.templating.limits import MAX_SOURCE

LARGE = "{% set a = 'a' * 60000 %}"
DOUBLED = "{% set a = [1] %}" + "{% set a = [a, a] %}" * 18
OTHER = "{% set b = [1] %}" + "{% set b = [b, b] %}" * 18

ATTACKS = {
    # making texts
    "times": "{{ 'a' * 200000000 }}",
    "times of times": "{{ 'a' * 60000 * 60000 }}",
    "times in a loop": LARGE + "{% for i in range(9000) %}{% set x = a * 1 %}{% endfor %}",
    "plus": "{% macro m(x) %}{{ m(x + x) }}{% endmacro %}{{ m('a' * 1000) }}",
    "tilde": LARGE + "{{ a ~ a ~ a ~ a }}",
    "tilde in a loop": LARGE + "{% for i in range(9000) %}{% set x = a ~ '' %}{% endfor %}",
    "format width": "{{ '%999999999s' | format('a') }}",
    "format precision": "{{ '%.999999999f' | format(1.0) }}",
    "format star": "{{ '%*s' | format(999999999, 'a') }}",
    "format of large": LARGE + "{{ ('%s' * 5000) | format(a) }}",
    "percent": "{{ '%999999999s' % 'a' }}",
    "format method": "{{ '{:999999999}'.format(1) }}",
    "format method nested": "{{ '{:{}}'.format(1, 999999999) }}",
    "format method of large": LARGE + "{{ ('{0}' * 5000).format(a) }}",
    "format method fields": "{{ '{0.__class__}'.format(1) }}",
    "format method items": "{{ '{0[x]}'.format({'x': 1}) }}",
    "format repr": "{{ '{!r}'.format('a') }}",
    "format large float": "{{ '{:.99}'.format(1e308 * 1e308) * 99999 }}",
    "ljust": "{{ 'a'.ljust(999999999) }}",
    "zfill": "{{ 'a'.zfill(999999999) }}",
    "center": "{{ 'a'.center(999999999) }}",
    "expandtabs": "{{ '\t'.expandtabs(999999999) }}",
    "translate": "{{ 'a'.translate({97: 'a' * 60000}) }}",
    "encode": "{{ 'a'.encode() }}",
    "format_map": "{{ '{a}'.format_map({'a': 1}) }}",
    "join method": LARGE + "{{ a.join(range(9000)) }}",
    "join filter": LARGE + "{{ range(9000) | join(a) }}",
    "join of large": LARGE + "{{ [a, a, a] | join }}",
    "join a text": LARGE + "{{ a | join(a) }}",
    "join by attribute": LARGE + "{% set l = {'x': a} %}{{ [l, l, l] | join(attribute='x') }}",
    "replace": LARGE + "{{ a | replace('a', a) }}",
    "replace method": LARGE + "{{ a.replace('', a) }}",
    "replace in a loop": LARGE + "{% for i in range(9000) %}{% set x = a | replace('b', 'c') %}{% endfor %}",
    "upper in a loop": LARGE + "{% for i in range(9000) %}{% set x = a | upper %}{% endfor %}",
    "method in a loop": LARGE + "{% for i in range(9000) %}{% set x = a.upper() %}{% endfor %}",
    "map": LARGE + "{% set l = a | list %}{{ a | map('replace', 'a', a) | list | length }}",
    "urlencode": "{% set a = '中' * 60000 %}{{ a | urlencode }}",
    "title": LARGE + "{% for i in range(9000) %}{% set x = a | title %}{% endfor %}",
    "truncate": LARGE + "{% for i in range(9000) %}{% set x = a | truncate(60000) %}{% endfor %}",
    "indent": "{{ 'a' | indent(999999999) }}",
    "wordwrap": "{{ ('a' * 60000) | wordwrap(1, wrapstring='a' * 60000) }}",
    "xmlattr": "{{ {'a': 1} | xmlattr }}",
    "tojson": "{{ [1] | tojson(indent=999999999) }}",
    "pprint": "{{ [1] | pprint }}",
    "filesizeformat": "{{ 1 | filesizeformat }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "strftime": "{{ day.strftime('%999999999d') }}",
    "strftime long": "{{ day | strftime('%A' * 30000) }}",
    "set block": "{% set x %}{% for i in range(10000) %}" + "x" * 2000 + "{% endfor %}{% endset %}",
    "macro of texts": "{% macro m() %}" + "x" * 2000 + "{% endmacro %}{% for i in range(10000) %}{% set x = m() %}{% endfor %}",
    "output": "{% for i in range(10000) %}xxxxxxxxxxxxxxxx{% endfor %}",
    "output of values": LARGE + "{{ a }}{{ a }}",
    "output in utf-8": "{{ '中' * 30000 }}",
    # looking at texts
    "find": "{% set a = 'a' * 60000 %}{% set b = 'a' * 50 + 'b' %}{% for i in range(1000) %}{{ a.find(b) }}{% endfor %}",
    "in": LARGE + "{% set b = 'b' + 'a' * 50 %}{% for i in range(1000) %}{% if b in a %}{% endif %}{% endfor %}",
    "count": "{% set a = 'a' * 60000 %}{% for i in range(1000) %}{{ a.count('ab') }}{% endfor %}",
    "equal": LARGE + "{% set b = 'a' * 60000 %}{% for i in range(1000) %}{% if a == b %}{% endif %}{% endfor %}",
    "equal test": LARGE + "{% set b = 'a' * 60000 %}{% for i in range(1000) %}{% if a is eq b %}{% endif %}{% endfor %}",
    "cut": LARGE + "{% for i in range(1000) %}{% set b = a[1:] %}{% endfor %}",
    "split": "{% set a = 'a ' * 30000 %}{% for i in range(1000) %}{% set b = a.split() %}{% endfor %}",
    "sort": "{% set a = 'a' * 60000 ~ 1 %}{% set b = 'a' * 60000 ~ 2 %}{{ [" + "a, b, " * 200 + "a] | sort | length }}",
    # making lists
    "range": "{{ range(10**9) | list }}",
    "list times": "{{ [1] * 10**9 }}",
    "list plus": "{% macro m(x) %}{{ m(x + x) }}{% endmacro %}{{ m(range(1000) | list) }}",
    "list in a loop": "{% for i in range(9000) %}{% set x = range(9000) | list %}{% endfor %}",
    "cut list in a loop": "{% set a = range(9000) | list %}{% for i in range(9000) %}{% set x = a[:] %}{% endfor %}",
    "text to list": "{{ ('a' * 60000) | list | length }}",
    "batch": "{{ [1] | batch(10**9, 'x') | list }}",
    "slice": "{{ [1] | slice(10**9) | list }}",
    "sum of lists": "{{ [[1], [2]] | sum(start=[]) }}",
    "groupby": "{% for i in range(9000) %}{{ range(9000) | groupby(0) }}{% endfor %}",
    # endless parts of few bytes
    "doubled text": DOUBLED + "{{ a | string }}",
    "doubled out": DOUBLED + "{{ a }}",
    "doubled tilde": DOUBLED + "{{ a ~ '' }}",
    "doubled join": DOUBLED + "{{ a | join }}",
    "doubled format": DOUBLED + "{{ '%s' | format(a) }}",
    "doubled format method": DOUBLED + "{{ '{}'.format(a) }}",
    "doubled equal": DOUBLED + OTHER + "{{ a == b }}",
    "doubled in": DOUBLED + OTHER + "{{ a in [b] }}",
    "doubled sort": DOUBLED + OTHER + "{{ [a, b] | sort | length }}",
    "doubled unique": DOUBLED.replace("[", "(").replace("]", ",)") + "{{ [a] | unique | length }}",
    "doubled key": DOUBLED.replace("[", "(").replace("]", ",)") + "{{ {'x': 1}[a] }}",
    "doubled entry": DOUBLED.replace("[", "(").replace("]", ",)") + "{{ {a: 1} }}",
    "doubled index": DOUBLED + OTHER + "{{ [a].index(b) }}",
    "doubled max": DOUBLED + OTHER + "{{ [a, b] | max | length }}",
    "deep": "{% set a = [1] %}" + "{% set a = [a] %}" * 1000 + "{{ a == a }}",
    # numbers
    "power": "{{ 9 ** 9 ** 9 }}",
    "power of float": "{{ 9.0 ** 999999 }}",
    "power of 0": "{{ 0 ** -1 }}",
    "root": "{{ ((-1) ** 0.5) }}",
    "product": "{% macro m(x) %}{{ m(x * x) }}{% endmacro %}{{ m(99999) }}",
    "literal": "{{ " + "9" * 4000 + " }}",
    "literal too long": "{{ " + "9" * 5000 + " }}",
    "int of a text": "{{ (('9' * 4000) | int) + 1 }}",
    "int of base 2": "{{ ('1' * 60000) | int(0, 2) }}",
    "int of a float": "{{ 1e308 | int }}",
    "int of a decimal": "{{ huge | int }}",
    "decimal": "{{ '{:f}'.format(huge) }}",
    "decimal grows": "{% macro m(x) %}{{ m(x * x) }}{% endmacro %}{{ m(price) }}",
    "round": "{{ 1.5 | round(10**9) }}",
    "round ceil": "{{ 1.5 | round(10**9, 'ceil') }}",
    "abs": "{{ (10**39 * 9) * 9 | abs }}",
    # time
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "nested loops of little": "".join(f"{{% for a{i} in 'ab' | list %}}" for i in range(18)) + "{% endfor %}" * 18,
    "loop with if": "{% for a in range(9999) %}{% for b in range(9999) if b < 0 %}{% endfor %}{% endfor %}",
    "loop with long if": "{% for a in range(9999) if " + " or ".join("a < 0" for _ in range(500)) + " %}{% endfor %}",
    "long body": "{% for a in range(9999) %}" + "{{ a }}" * 1000 + "{% endfor %}",
    "long branch": "{% for a in range(9999) %}{% if true %}" + "{% set b = a %}" * 1000 + "{% endif %}{% endfor %}",
    "loop length": "{% for a in range(9999) %}{% for b in range(9999) %}{{ loop.length }}{% endfor %}{% endfor %}",
    "recursive loop": "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macros": "{% macro m() %}{{ n() }}{% endmacro %}{% macro n() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "macro twice": "{% macro m(d) %}{% if d %}{{ m(d - 1) }}{{ m(d - 1) }}{% endif %}{% endmacro %}{{ m(19) }}",
    "caller": "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{% call m() %}{% endcall %}{% endcall %}",
    "block": "{% block b %}{{ self.b() }}{% endblock %}",
    "map in a loop": "{% for i in range(9000) %}{{ range(9000) | map('string') | list | length }}{% endfor %}",
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "brackets": "{{ " + "[" * 300 + "1" + "]" * 300 + " }}",
    "nots": "{{ " + "not " * 5000 + "1 }}",
    "blocks": "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "loops": "".join(f"{{% for a{i} in x %}}" for i in range(40)) + "{% endfor %}" * 40,
    "long": "x" * (MAX_SOURCE + 1),
    "attribute": "{{ range(9000) | map(attribute='" + "0." * 5000 + "0', default='a') | list | length }}",
    "attributes": "{{ range(9000) | sort(attribute='" + "0," * 500 + "0') | length }}",
    "not there": "{% for i in range(9000) %}{% for j in range(9000) %}{{ 'a'.x | default(1) }}{% endfor %}{% endfor %}",
    # other ways out
    "class": "{{ ''.__class__ }}",
    "class by text": "{{ ''['__class__'] }}",
    "class by attr": "{{ '' | attr('__class__') }}",
    "class by map": "{{ [''] | map(attribute='__class__') | list }}",
    "globals": "{{ range.__globals__ }}",
    "macro's": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "macro's environment": "{% macro m() %}{% endmacro %}{{ m['_environment'] }}",
    "loop's": "{% for a in [1] %}{{ loop._undefined }}{% endfor %}",
    "namespace": "{% set n = namespace(a='a') %}{% set n.a = 1 %}",
    "cycler": "{{ cycler('a').next() }}",
    "joiner": "{{ joiner()() }}",
    "dict": "{{ dict(a=1) }}",
    "import": "{% import 'x.j2' as x %}",
    "append": "{{ [1].append(2) }}",
    "call a value": "{{ call_me() }}",
    "call an attribute": "{{ thing.destroy() }}",
    "call by map": "{{ [thing] | map(attribute='destroy') | first }}",
    "star": "{{ range(*[1, 2]) }}",
    "private by text": "{{ thing['_secret'] }}",
    "dict by text": "{{ thing['__dict__'] | length }}",
    "do": "{% do range(3) %}",
    "debug": "{% debug %}",
}


class Thing:
    """A value with more to it than a template should have."""

    _secret = "secret"

    def destroy(self) -> str:
        return "destroyed"


VALUES = {
    "x": ["a", "b"],
    "day": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    "huge": Decimal("1E+999999"),
    "price": Decimal("1E+30"),
    "call_me": lambda: "called",
    "thing": Thing(),
}


def attack(source: str) -> str:
    return Templates().compile(source).render(**VALUES)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_at_little_cost(name: str) -> None:
    started = time.thread_time()
    with pytest.raises(TemplateError):
        attack(ATTACKS[name])
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_within_little_memory(name: str) -> None:
    """What compiling takes is no part of it: that is done once, while loading, of at most 16 KiB of source."""
    try:
        template = Templates().compile(ATTACKS[name])
    except TemplateError:
        return
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            template.render(**VALUES)
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()
