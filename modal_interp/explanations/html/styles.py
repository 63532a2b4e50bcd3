"""How explanations look: light, dark and printed, without a word to what stands around them.

All rules hold inside ``.modal-interp`` alone. Blue adds and orange takes away, which readers with
any colour vision tell apart; an underline, solid or dashed and the thicker the more, says the same
without colours. No element has a style of its own, so a strict content security policy can allow
the sheet alone.
"""

from __future__ import annotations

from modal_interp.explanations.html.markup import Markup, tag

# Text on each of the shades, and on the ground, has a contrast of 4.5 and more; bars and lines of
# 3 and more.
LIGHT = {
    "ground": "#ffffff",
    "panel": "#f3f5f7",
    "ink": "#16191d",
    "soft": "#515a64",
    "line": "#c9d0d7",
    "adds": "#0a66a8",
    "takes": "#b34b00",
    "neutral": "#68737e",
    "link": "#0a5a94",
    **{f"adds-{k + 1}": c for k, c in enumerate(("#e4eff8", "#c3ddf1", "#97c4e6", "#6aaadb"))},
    **{f"takes-{k + 1}": c for k, c in enumerate(("#fdeee1", "#fbd6b4", "#f7b57b", "#f0934a"))},
}
DARK = {
    "ground": "#14171a",
    "panel": "#1f2429",
    "ink": "#f1f3f5",
    "soft": "#aeb7c0",
    "line": "#444c55",
    "adds": "#6fb5ec",
    "takes": "#f39a55",
    "neutral": "#8d98a3",
    "link": "#86c1f0",
    **{f"adds-{k + 1}": c for k, c in enumerate(("#18293a", "#193a57", "#194c75", "#1a5f93"))},
    **{f"takes-{k + 1}": c for k, c in enumerate(("#352414", "#522f11", "#703a0d", "#8c470b"))},
}
N_SHADES = 4

_RULES = """
.modal-interp{color:var(--mi-ink);background:var(--mi-ground);font:15px/1.5 system-ui,sans-serif;
padding:.75em 1em;border-radius:6px;overflow-wrap:anywhere;text-align:start;max-width:60em;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
.modal-interp *{box-sizing:border-box}
.modal-interp p,.modal-interp ul,.modal-interp dl{margin:.4em 0}
.modal-interp h1,.modal-interp h2,.modal-interp h3,.modal-interp .mi-title{font-weight:650;
line-height:1.3;margin:.2em 0 .4em;color:inherit}
.modal-interp h3,.modal-interp .mi-title{font-size:1.05em}
.modal-interp a{color:var(--mi-link)}
.modal-interp .mi-sample{border-top:1px solid var(--mi-line);padding:.7em 0;margin:0}
.modal-interp .mi-soft,.modal-interp caption{color:var(--mi-soft);font-size:.88em}
.modal-interp .mi-text{font-size:1.08em;line-height:2;white-space:pre-wrap;margin:.5em 0}
.modal-interp .mi-quote{border-inline-start:3px solid var(--mi-line);padding-inline-start:.7em}
.modal-interp .mi-left-out{color:var(--mi-soft);font-size:.85em;font-style:italic}
.modal-interp .mi-word{color:var(--mi-ink);border-radius:3px;padding:.12em .1em;
text-underline-offset:.22em;text-decoration-skip-ink:none}
.modal-interp .mi-decided{outline:2px solid var(--mi-ink);outline-offset:1px;font-weight:650}
.modal-interp .mi-key{margin-inline:.25em;padding-inline:.25em}
.modal-interp .mi-unknown{font-style:italic}
.modal-interp .mi-parts{display:grid;gap:.2em 2em;
grid-template-columns:repeat(auto-fit,minmax(min(100%,21em),1fr));align-items:start}
.modal-interp table{border-collapse:collapse;width:100%;margin:.4em 0;font-size:.93em;
table-layout:auto;color:inherit;background:none;border:0}
.modal-interp caption{text-align:start;caption-side:top;padding:.2em 0}
.modal-interp th,.modal-interp td{padding:.15em .5em .15em 0;text-align:start;vertical-align:top;
font-weight:400;border:0;background:none;color:inherit;white-space:normal;max-width:none}
.modal-interp thead th{color:var(--mi-soft);font-size:.92em}
.modal-interp thead th,.modal-interp thead td{border-bottom:1px solid var(--mi-line)}
.modal-interp thead th,.modal-interp .mi-batch td,.modal-interp .mi-batch th{
overflow-wrap:normal;padding-inline-end:.6em}
.modal-interp .mi-batch td.mi-data{overflow-wrap:anywhere}
.modal-interp .mi-near th:first-child,.modal-interp .mi-near .mi-number{width:1%}
.modal-interp .mi-number{text-align:end;white-space:nowrap;font-variant-numeric:tabular-nums}
.modal-interp .mi-bars .mi-bar-cell{width:40%;min-width:5em;padding-inline-end:0;
vertical-align:middle}
.modal-interp .mi-bar{display:block;width:100%;height:.8em;overflow:visible}
.modal-interp .mi-strong{font-weight:650}
.modal-interp .mi-fill-adds{fill:var(--mi-adds)}
.modal-interp .mi-fill-takes{fill:var(--mi-takes)}
.modal-interp .mi-fill-neutral{fill:var(--mi-neutral)}
.modal-interp .mi-fill-track{fill:var(--mi-panel)}
.modal-interp .mi-axis{stroke:var(--mi-soft);stroke-width:1;vector-effect:non-scaling-stroke}
.modal-interp .mi-spread{stroke:var(--mi-ink);stroke-width:2;vector-effect:non-scaling-stroke}
.modal-interp figure{margin:.5em 0}
.modal-interp .mi-map{display:block;width:100%;max-width:46em;height:auto;
background:var(--mi-panel);border-radius:6px}
.modal-interp .mi-dots{stroke:var(--mi-neutral);stroke-width:2.6;stroke-linecap:round;fill:none}
.modal-interp .mi-squares{stroke:var(--mi-adds);stroke-width:5;stroke-linecap:square;fill:none}
.modal-interp .mi-diamonds{fill:var(--mi-takes);stroke:var(--mi-panel);stroke-width:1}
.modal-interp .mi-map text{font:650 10px system-ui,sans-serif;fill:var(--mi-ink);
stroke:var(--mi-panel);stroke-width:2px;paint-order:stroke}
.modal-interp .mi-legend{display:flex;flex-wrap:wrap;gap:.2em 1.4em;list-style:none;padding:0}
.modal-interp .mi-legend svg{width:1em;height:1em;vertical-align:-.12em;margin-inline-end:.4em}
.modal-interp summary{cursor:pointer}
.modal-interp .mi-facts{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em}
.modal-interp .mi-facts dt{color:var(--mi-soft)}
.modal-interp .mi-facts dd{margin:0}
@media (max-width:480px){.modal-interp .mi-facts{grid-template-columns:1fr}
.modal-interp .mi-facts dd{margin:0 0 .3em}
.modal-interp .mi-batch .mi-text-cell{display:none}}
@media (forced-colors:active){.modal-interp .mi-bar rect{forced-color-adjust:none}}
"""
_PAGE = """
html{background:var(--mi-ground)}
body{margin:0}
body.modal-interp{max-width:66em;margin:0 auto;padding:1em clamp(.8em,3vw,2em);border-radius:0}
.modal-interp h1{font-size:1.5em}
.modal-interp h2{font-size:1.2em;margin-top:1.4em}
.modal-interp :target{outline:2px solid var(--mi-link);outline-offset:4px}
@media print{.modal-interp{padding:0;max-width:none;font-size:10pt}
.modal-interp .mi-sample,.modal-interp figure,.modal-interp tr{break-inside:avoid}
.modal-interp h2,.modal-interp h3{break-after:avoid}}
"""


def sheet(page: bool = False) -> str:
    """Return the rules: of explanations on any page, or with those of a page of our own."""
    rules = _RULES + _PAGE * page
    return "".join([*_schemes("html" if page else ".modal-interp"), *_shades(), rules])


def style(page: bool = False) -> Markup:
    """Return the element that holds them."""
    return tag("style", Markup(sheet(page)))


def _schemes(root: str) -> list[str]:
    """Return the colours in light and dark: as the reader's system wants, or the notebook.

    JupyterLab and VS Code say on the body which theme they wear; paper is light.
    """
    light, dark = (
        "color-scheme:" + name + ";" + ";".join(f"--mi-{key}:{c}" for key, c in scheme.items())
        for name, scheme in (("light", LIGHT), ("dark", DARK))
    )
    found = [f"{root}{{{light}}}", f"@media (prefers-color-scheme:dark){{{root}{{{dark}}}}}"]
    if root != "html":
        of_light = "[data-jp-theme-light=true]", ".vscode-light"
        of_dark = "[data-jp-theme-light=false]", ".vscode-dark"
        found += [",".join(f"{on} {root}" for on in of_light) + f"{{{light}}}"]
        found += [",".join(f"{on} {root}" for on in of_dark) + f"{{{dark}}}"]
        # Those of paper come last, and weigh as much.
        root = ",".join([root, *(f"{on} {root}" for on in of_light + of_dark)])
    return [*found, f"@media print{{{root}{{{light}}}}}"]


def _shades() -> list[str]:
    """Return the looks of words, from the weakest contribution to the strongest."""
    lines = (("adds", "solid"), ("takes", "dashed"))
    return [
        f".modal-interp .mi-{sign}-{k}{{background:var(--mi-{sign}-{k});"
        f"text-decoration:underline {line} var(--mi-{sign}) {k}px}}"
        for sign, line in lines
        for k in range(1, N_SHADES + 1)
    ]
