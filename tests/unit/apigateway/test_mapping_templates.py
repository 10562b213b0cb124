"""Mapping templates: what they make, what is refused, and that their work is bounded."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.templates.limits import UnsupportedTemplateError
from labkit.local.apigateway.templates.render import render
from labkit.local.apigateway.templates.utilities import escape_javascript, make_util
from labkit.local.apigateway.templates.values import Tool

ROOTS = {
    "util": make_util,
    "context": lambda _budget: {"stage": "dev", "n": 3, "none": None},
    "input": lambda _budget: Tool({"body": "text"}, {"params": lambda name: f"<{name}>"}),
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("$context.stage-x", ""),  # a name may have a hyphen
        ("${context.stage}-x", "dev-x"),
        ("$!context.none|$none|$context.none.more", "||"),
        ("$context.stage.", "dev."),
        ("a@b.com costs $5 #1 #fff", "a@b.com costs $5 #1 #fff"),
        ("a ## rest\nb #* c *#d #[[$e #if]]#", "a b d $e #if"),
        ("#set($x = 1 + 2 * 3 - 4 / 2)$x", "5"),
        ("#set($x = -7 / 2)$x", "-3"),
        ("#set($x = -7 % 2)$x", "-1"),
        ("#set($x = 7 / 2.0)$x", "3.5"),
        ("#set($x = 'a' + 1)$x", "a1"),
        ('#set($x = "$context.stage/${context.n}")$x', "dev/3"),
        ("#set($x = '$context.stage')$x", "$context.stage"),
        ("#set($x = [1, 'b', true, null])$x", "[1, b, true, null]"),
        ("#set($x = {'a': 1, 'b': [2]})$x $x.b[0] $x['a'] $x.get('a')", "{a=1, b=[2]} 2 1 1"),
        ("#foreach($i in [1..3])$i:$foreach.index:$velocityCount #end", "1:0:1 2:1:2 3:2:3 "),
        ("#foreach($i in [3..1])$i#if($i == 2)#break#end#end", "32"),
        ("#foreach($e in {'a': 1}.entrySet())$e.key=$e.value#end", None),
        ("#set($m = {'a': 1})#foreach($e in $m.entrySet())$e.key=$e.getValue()#end", "a=1"),
        ("#if($context.n > 2 && !($context.stage == 'prod'))yes#{else}no#end", "yes"),
        ("#if($none)a#elseif($context.n == 3)b#{else}c#end", "b"),
        ("#if($context.n == '3')same#end", "same"),
        ("#set($l = [])#set($ok = $l.add('x'))$l.size()$l[0]$l[5]", "1x"),
        ("$context.stage.toUpperCase().substring(1).length()", "2"),
        ("$util.urlEncode('a b/ä*')|$util.urlDecode('a+b%20c')", "a+b%2F%C3%A4*|a b c"),
        ("$util.base64Encode('ä')|$util.base64Decode('w6Q=')", "w6Q=|ä"),
        (
            "#set($o = $util.parseJson('{\"a\": [1, 2.0, 1e10]}'))$o $o.a[1]",
            "{a=[1, 2.0, 1.0E10]} 2.0",
        ),
        ("$input.body $input.params('q') $input", "text <q> "),
    ],
)
def test_what_a_template_makes(template: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(UnsupportedTemplateError):
            render(template, ROOTS)
    else:
        assert render(template, ROOTS) == text


@pytest.mark.parametrize(
    "template",
    [
        "#set($x = 'a')$x.__class__",
        "#set($x = 'a')$x.format('b')",
        "#set($x = [1])$x.__len__()",
        "$util.__init__()",
        "$context.__class__()",
        "#set($x = 'aaaa')$x.replaceAll('(a+)+b', '')",
        "#set($x = 1 / 0)",
        "#set($x = 'a' * 3)",
        "#set($x = 9223372036854775807 * 2)",
        "#set($x = [1..100000])",
        "#set($x = 'a')#set($x = $none)",
        "#set($util = 1)",
        "#if([] == [])x#end",
        "#break",
        "#end",
        "#stop",
        "(" * 5_000 + "#if" + "(" * 5_000,
        "#if(true)" * 5_000,
        "#set($x = " + "!" * 5_000 + "true)",
        "#set($x = 1" + " + 1" * 5_000 + ")",
        "x" * 300_001 + "$a",
    ],
)
def test_what_is_refused(template: str) -> None:
    with pytest.raises(UnsupportedTemplateError):
        render(template, ROOTS)


NESTED = "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])$c#end#end#end"


@pytest.mark.parametrize(
    "template",
    [
        NESTED,
        "#set($s = 'x')#foreach($i in [1..900])#set($s = \"$s$s\")#end",
        "#set($s = 'xx')#foreach($i in [1..900])#set($s = $s.replace('x', $s))#end",
        "#set($s = 'xx')#foreach($i in [1..900])#set($s = $s + $s)#end",
        "#set($s = 'xx')#foreach($i in [1..900])#set($s = $s.concat($s))#end",
        "#set($l = [])#foreach($i in [1..900])#set($l = [$l, $l])#end$l",
        "#set($m = {})#set($m.m = $m)$m",
        "#set($n = 3)#foreach($i in [1..900])#set($n = $n * $n)#end",
    ],
)
def test_the_work_is_bounded(template: str) -> None:
    started = time.process_time()
    with pytest.raises(UnsupportedTemplateError):
        render(template, ROOTS)
    assert time.process_time() - started < 10


PIECES = st.sampled_from(
    "$context $context.stage ${ } ( ) [ ] ' \" #if( #set( #end #else #foreach( $i in = == + - .. , . ! "
    "#set($x=1) $x $x.y $x[0] \\ ## #* *# $util.urlEncode('a') {'a':1} true null 5 1.5".split()
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=20))
def test_any_template_is_a_text_or_refused(pieces: list[str]) -> None:
    for separator in ("", " "):
        with suppress(UnsupportedTemplateError):
            assert isinstance(render(separator.join(pieces), ROOTS), str)


@given(st.text())
def test_what_is_escaped_is_ascii_without_quotes(text: str) -> None:
    escaped = escape_javascript(text)
    assert escaped.isascii()
    assert escaped.isprintable()
