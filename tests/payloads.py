"""Texts that would run, load or restyle something in a page that did not escape them, and a fit that is full of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import pandas as pd

from attrition.fitted import Fit

RUN = "window.ran=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"<!--<script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script\t>{RUN}</script\n>",
    f"<<script>{RUN};//<</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "<script src=http://127.0.0.1:9/x.js></script>",
    "<script src=data:text/javascript,window.ran=1></script>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror={RUN}>",
    f"`><img src=x onerror={RUN}>",
    "<img src=http://127.0.0.1:9/x.png>",
    "<img srcset='http://127.0.0.1:9/x.png 1x'>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    "<svg><use href=http://127.0.0.1:9/x.svg#a>",
    f"<math><mtext><script>{RUN}</script>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<iframe src=javascript:{RUN}></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src=javascript:{RUN}>",
    f"<a href=javascript:{RUN}>x</a>",
    f'" onmouseover="{RUN}',
    f"' onfocus='{RUN}' autofocus='",
    f'" autofocus onfocus="{RUN}" x="',
    "<base href=http://127.0.0.1:9/>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<style>body{display:none}</style>",
    "<style>@import url(http://127.0.0.1:9/x.css)</style>",
    "<p style=position:fixed;inset:0>x</p>",
    f"<form action=javascript:{RUN}><button autofocus>x</button></form>",
    "{{ 7*7 }}", "{% for x in y %}", "{{ ''.__class__ }}", "${7*7}", "<%= 7*7 %>", "#{7*7}",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\u2028{RUN}\u2029",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"¼script¾{RUN}¼/script¾",
    "\u202etpircs\u202c",
    f"=HYPERLINK(\"javascript:{RUN}\")",
    f"[x](javascript:{RUN})", "**x** _y_ <b>z</b>",
]  # fmt: skip
ADDRESSES = [
    f"javascript:{RUN}", f"JAVASCRIPT:{RUN}", f"java\tscript:{RUN}", f" javascript:{RUN}", f"\x01javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>", f"vbscript:{RUN}", "//127.0.0.1:9/x", "file:///etc/passwd",
    f'https://example.org/" onmouseover="{RUN}', f"https://example.org/'><script>{RUN}</script>",
    f"https://example.org/#<script>{RUN}</script>", f"https://javascript:{RUN}@example.org/",
]  # fmt: skip


def hostile_fit(january: Fit) -> Fit:
    """The fit in which every text that somebody else wrote is one that would run, load or link if it could."""
    texts, addresses = itertools.cycle(PAYLOADS), itertools.cycle(ADDRESSES)
    seen = january.seen
    sources = [*dict.fromkeys([*(name for name, _, _ in seen.sources), *seen.set_aside["source"]])]
    names = {source: f"{place} {text}" for place, (source, text) in enumerate(zip(sources, texts, strict=False))}
    seen = dataclasses.replace(
        seen,
        claims=_filled(seen.claims, texts, addresses, names),
        set_aside=_filled(seen.set_aside, texts, addresses, names),
        sources=[(names[source], group, kind) for source, group, kind in seen.sources],
        notes=tuple(PAYLOADS),
    )
    campaign = january.campaign
    assert campaign.reference_projection is not None
    campaign = dataclasses.replace(
        campaign,
        title=next(texts),
        phases=tuple(dataclasses.replace(phase, name=next(texts), why=next(texts)) for phase in campaign.phases),
        reference_projection=dataclasses.replace(
            campaign.reference_projection, text=PAYLOADS[1], source=PAYLOADS[13], url=ADDRESSES[0]
        ),
    )
    draws = january.draws.copy()
    spoken = [names[str(source)] for source in january.posterior["source"].values]
    draws["posterior"] = draws["posterior"].to_dataset().assign_coords(source=spoken)
    gate = january.gate | {"passed": False, "sentence": PAYLOADS[0], "escalated": PAYLOADS[1]}
    versions = {PAYLOADS[2]: PAYLOADS[3]}
    return dataclasses.replace(
        january, seen=seen, campaign=campaign, draws=draws, gate=gate, versions=versions, created=PAYLOADS[4]
    )


def _filled(rows: pd.DataFrame, texts: Iterator[str], addresses: Iterator[str], names: dict[str, str]) -> pd.DataFrame:
    found = rows.copy()
    found["source"] = [names[source] for source in rows["source"]]
    for column in [name for name in ("claim_id", "note", "reason") if name in rows]:
        found[column] = [f"{next(texts)}" for _ in range(len(rows))]
    found["url"] = [next(addresses) for _ in range(len(rows))]
    return found
